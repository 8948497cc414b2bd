/** Labelled messages of folders and mbox files, for the commands that try junk filters. @module */
import { join } from "node:path";
import { messageText } from "../delivery/message_text.ts";
import { type JunkParams, type LabelledMessage, messageWords } from "../junk/mod.ts";
import { parseDate } from "../mail/header/date.ts";
import { headerField, splitHeader } from "../mail/header/header.ts";
import { mboxMessages } from "../mail/mbox/read.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { withCrlf } from "./inputs.ts";

/** Bytes of a message that is read completely. */
const maxSize = 64 * 1024 * 1024;

/** Words of a message in memory. */
export function wordsOf(bytes: Uint8Array, params: JunkParams): Set<string> {
  const { root } = parseMessage(bytes);
  return messageWords(messageText(root, (from, to) => bytes.subarray(from, to)), params);
}

/** When a message was received, by its topmost Received; else by its Date. */
function receivedTime(bytes: Uint8Array): number | undefined {
  const fields = splitHeader(bytes.subarray(0, Math.min(bytes.length, 64 * 1024)));
  const received = headerField(fields, "received");
  const text = received?.slice(received.lastIndexOf(";") + 1) ?? headerField(fields, "date");
  return text === undefined ? undefined : parseDate(text)?.getTime();
}

/** Paths of the messages in a folder: its files, and those in the folders cur and new of a Maildir. */
function filesOf(folder: string): string[] {
  const files: string[] = [];
  for (const e of Deno.readDirSync(folder)) {
    const path = join(folder, e.name);
    if (e.isFile && !e.name.startsWith(".")) files.push(path);
    else if (e.isDirectory && (e.name === "cur" || e.name === "new")) files.push(...filesOf(path));
  }
  return files.sort();
}

/**
 * The messages of a folder of files, a Maildir, or an mbox file. Those of folders are read when their
 * words are requested; words are computed each time.
 * @throws file errors, MboxError
 */
export async function labelledMessages(
  path: string,
  ham: boolean,
  params: JunkParams,
): Promise<LabelledMessage[]> {
  const found: LabelledMessage[] = [];
  if ((await Deno.stat(path)).isDirectory) {
    for (const name of filesOf(path)) {
      const read = () => withCrlf(Deno.readFileSync(name));
      const received = receivedTime(read()) ?? Deno.statSync(name).mtime?.getTime() ?? 0;
      found.push({ name, ham, received, words: () => wordsOf(read(), params) });
    }
    return found;
  }
  const file = await Deno.open(path);
  for await (const m of mboxMessages(file.readable, { maxSize })) {
    if (m.message === undefined) continue;
    const words = wordsOf(m.message, params);
    const received = m.date?.getTime() ?? receivedTime(m.message) ?? 0;
    found.push({ name: `${path}:${found.length + 1}`, ham, received, words: () => words });
  }
  return found;
}
