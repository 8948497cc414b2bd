/** What an administrator wants to import: a folder, an archive or a mailbox file. @module */
import { basename, join } from "node:path";
import { fileBytes } from "./archive/file_bytes.ts";
import { folderArchive } from "./archive/folder.ts";
import { openArchive } from "./archive/open.ts";
import { archiveSource, type LookOptions, lookThrough } from "./archive/source.ts";
import { mboxSource } from "./mbox.ts";
import type { Source } from "./sources.ts";

/**
 * The messages at a path. A mailbox file or a Maildir belongs to the mailbox that is imported into; contents of
 * folders or an archive belong to mailboxes below it.
 * @param into mailbox that is imported into; "" for the top, where Gmail labels choose the mailboxes
 * @returns also the bytes to expect, 0 if unknown
 * @throws ArchiveError, file errors
 */
export async function pathSource(
  path: string,
  into: string,
  options: LookOptions = {},
): Promise<{ source: Source; bytes: number }> {
  const { isDirectory, size } = await Deno.stat(path);
  if (!isDirectory && (size === 0 || await isMbox(path))) {
    return { source: mboxSource(basename(path), fileBytes(path), "", into === ""), bytes: size };
  }
  if (isDirectory && await isEmptyMaildir(path)) return { source: emptyMailbox(), bytes: 0 };
  const archive = isDirectory ? folderArchive(path) : await openArchive(path, basename(path));
  const contents = await lookThrough(archive, { ...options, exact: isDirectory });
  return { source: archiveSource(archive, contents), bytes: contents.bytes };
}

/** Folders for messages without any message in them. */
async function isEmptyMaildir(path: string): Promise<boolean> {
  const folders = new Set<string>();
  for await (const e of Deno.readDir(path)) {
    if (e.isDirectory) folders.add(e.name);
  }
  if (!folders.has("cur") || !folders.has("new")) return false;
  for (const f of folders) {
    if (!["cur", "new", "tmp"].includes(f)) return false;
    for await (const _ of Deno.readDir(join(path, f))) return false;
  }
  return true;
}

async function* emptyMailbox(): Source {
  yield { below: "" };
}

async function isMbox(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(5);
  await file.read(start);
  return new TextDecoder("latin1").decode(start) === "From ";
}
