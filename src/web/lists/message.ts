/** An archived message: its text, and its files for downloading. Read in pieces, whatever its size. @module */
import { parameters } from "../../mail/compose.ts";
import { decodeText, fileNameOf, isAttachment } from "../../mail/structure/contents.ts";
import { leaves, type Part, StructureParser } from "../../mail/structure/structure.ts";
import { htmlText } from "../../mail/text/html_text.ts";
import { transferStream } from "../../mail/transfer/stream.ts";
import { giveWay } from "../../platform/turns.ts";
import { HttpError } from "../http/mod.ts";

/** Bytes of a text shown. */
const maxText = 256 * 1024;
/** Files listed. */
const maxFiles = 50;
const piece = 64 * 1024;

/** What a page shows of a message. */
export interface ShownMessage {
  text: string;
  /** The text is longer than shown. */
  cut: boolean;
  files: { name: string; bytes: number }[];
}

async function opened<T>(path: string, run: (file: Deno.FsFile) => Promise<T>): Promise<T> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) throw new HttpError(404, "the message is gone");
    throw err;
  }
  try {
    return await run(file);
  } finally {
    file.close();
  }
}

async function structure(file: Deno.FsFile): Promise<Part> {
  const parser = new StructureParser();
  const buffer = new Uint8Array(piece);
  for (;;) {
    const n = await file.read(buffer);
    if (n === null) return parser.end().root;
    parser.write(buffer.subarray(0, n));
    await giveWay();
  }
}

async function range(file: Deno.FsFile, from: number, to: number): Promise<Uint8Array> {
  await file.seek(from, Deno.SeekMode.Start);
  const out = new Uint8Array(Math.max(0, to - from));
  let n = 0;
  while (n < out.length) {
    const got = await file.read(out.subarray(n));
    if (got === null) break;
    n += got;
  }
  return out.subarray(0, n);
}

function partsOf(root: Part): { texts: Part[]; files: Part[] } {
  const texts: Part[] = [];
  const files: Part[] = [];
  for (const p of leaves(root)) {
    const text = p.type === "text" && !isAttachment(p) &&
      (p.subtype === "plain" || p.subtype === "html");
    if (text) texts.push(p);
    else if (files.length < maxFiles) files.push(p);
  }
  return { texts, files };
}

/** The message in a file. @throws HttpError 404 if it no longer exists */
export function showMessage(path: string): Promise<ShownMessage> {
  return opened(path, async (file) => {
    const { texts, files } = partsOf(await structure(file));
    const part = texts.find((p) => p.subtype === "plain") ?? texts[0];
    let text = "";
    let cut = false;
    if (part) {
      const to = Math.min(part.endOffset, part.bodyOffset + maxText);
      cut = to < part.endOffset;
      text = decodeText(part, await range(file, part.bodyOffset, to));
      if (part.subtype === "html") text = htmlText(text, { shown: true }).text.trim();
    }
    return {
      text,
      cut,
      files: files.map((part, i) => ({
        name: fileNameOf(part) || `${part.type}-${i + 1}`,
        bytes: part.endOffset - part.bodyOffset,
      })),
    };
  });
}

/** A file of a message as a download: the browser displays none of it. @throws HttpError 404 */
export async function messageFile(path: string, index: number): Promise<Response> {
  const { part, name } = await opened(path, async (file) => {
    const { files } = partsOf(await structure(file));
    const part = files[index];
    if (part === undefined) throw new HttpError(404, "the message has no such file");
    return { part, name: fileNameOf(part) || `${part.type}-${index + 1}` };
  });
  const decoder = transferStream(part.encoding);
  const file = await Deno.open(path, { read: true });
  let at = part.bodyOffset;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // A piece may decode to nothing.
      for (;;) {
        const bytes = at < part.endOffset
          ? await range(file, at, Math.min(part.endOffset, at + piece))
          : new Uint8Array(0);
        at += bytes.length;
        const out = bytes.length > 0 ? decoder.push(bytes) : decoder.end();
        if (out.length > 0) controller.enqueue(Uint8Array.from(out));
        if (bytes.length === 0) {
          controller.close();
          file.close();
          return;
        }
        if (out.length > 0) return;
      }
    },
    cancel: () => file.close(),
  });
  return new Response(body, {
    headers: {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": `attachment${parameters({ filename: name })}`,
      "Cache-Control": "no-store",
    },
  });
}
