/** `mox message parse`. @module */
import { splitHeader } from "../mail/header/header.ts";
import { parseMessage, type Part } from "../mail/structure/structure.ts";
import { writeStdout } from "../platform/stdio.ts";
import { describe } from "../store/messages/describe.ts";
import { type Command, parseFlags } from "./command.ts";
import { readMessage } from "./inputs.ts";

function partValue(part: Part): Record<string, unknown> {
  const { type, subtype, params, encoding, disposition, dispositionParams } = part;
  return {
    type: `${type}/${subtype}`,
    params,
    encoding,
    id: part.id,
    disposition,
    dispositionParams,
    header: [part.headerOffset, part.bodyOffset],
    body: [part.bodyOffset, part.endOffset],
    lines: part.lines,
    parts: part.parts.length > 0 ? part.parts.map(partValue) : undefined,
    message: part.message && partValue(part.message),
  };
}

export const messageParse: Command = {
  name: "message parse",
  usage: "message parse [message]",
  summary: "Print a message's structure as JSON",
  help: `
Parses a message (standard input if none is named), and prints what the server knows of it as JSON: its
addresses, subject, references and preview, its header fields, and its parts with the offsets of their
headers and bodies in bytes. Lines that end in LF are taken to end in CRLF.`,
  async run(args) {
    const { args: [file] } = parseFlags(args, {}, { max: 1 });
    const bytes = await readMessage(file);
    const parsed = parseMessage(bytes);
    const { summary } = await describe(parsed, (from, to) => bytes.subarray(from, to));
    const value = {
      size: parsed.size,
      summary: {
        ...summary,
        sent: summary.sent === undefined ? undefined : new Date(summary.sent).toISOString(),
      },
      header: splitHeader(parsed.root.header ?? new Uint8Array(0)).map((f) => [f.name, f.value]),
      structure: partValue(parsed.root),
    };
    writeStdout(`${JSON.stringify(value, undefined, 2)}\n`);
  },
};
