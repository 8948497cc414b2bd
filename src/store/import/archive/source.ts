/**
 * The messages of an archive: of its Maildirs, mailbox files and single messages, with the mailboxes that the
 * archive's folders stand for.
 *
 * The archive is read twice: first for its mailboxes and keywords, and for whether it can be read at all; nothing
 * is imported of one that can't.
 *
 * @module
 */
import { mboxMessages } from "../../../mail/mbox.ts";
import {
  maildirMessage,
  maxMessage,
  mboxMessage,
  parseDovecotKeywords,
  type Source,
  type SourceMessage,
  withCrlf,
} from "../sources.ts";
import { mailboxNames, maildirLevels, maildirOf, mayBeMail, mboxLevels } from "./names.ts";
import { type Archive, type ArchiveEntry, ArchiveError } from "./types.ts";

/** What is known of an archive when it has been looked through. */
export interface Contents {
  /** Mailboxes by the levels of their files, with "/" between them. */
  mailboxes: Map<string, string>;
  /** Kind of each file that is mail, by its name. */
  files: Map<string, "maildir" | "mbox" | "message">;
  /** Dovecot's keywords of a Maildir, by its folder. */
  keywords: Map<string, Map<string, string>>;
  /** Messages in files of their own. */
  messages: number;
}

const levelsOf = (name: string, kind: "maildir" | "mbox" | "message"): string[] =>
  kind === "maildir"
    ? maildirLevels(maildirOf(name)!)
    : kind === "mbox"
    ? mboxLevels(name)
    : mboxLevels(name).slice(0, -1);

async function whole(e: ArchiveEntry, max: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const p of e.pieces()) {
    size += p.length;
    if (size <= max) pieces.push(p);
  }
  if (size > max) return undefined;
  const out = new Uint8Array(size);
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** The first bytes of a file; the rest is read too, so that damage is found now. */
async function firstBytes(e: ArchiveEntry, length: number): Promise<string> {
  let text = "";
  for await (const p of e.pieces()) {
    if (text.length < length) text += new TextDecoder("latin1").decode(p.subarray(0, length));
  }
  return text.slice(0, length);
}

/** Looks through an archive. @throws ArchiveError if it can't be read, or has no mail in it */
export async function lookThrough(
  archive: Archive,
  o: { signal?: AbortSignal; progress?: (files: number) => void } = {},
): Promise<Contents> {
  const c: Contents = { mailboxes: new Map(), files: new Map(), keywords: new Map(), messages: 0 };
  const levels: string[][] = [];
  const seen = new Set<string>();
  let files = 0;
  for await (const e of archive.entries()) {
    o.signal?.throwIfAborted();
    if (++files % 1000 === 0) o.progress?.(files);
    const found = await look(e, c);
    if (!found) continue;
    c.files.set(e.name, found);
    if (found !== "mbox") c.messages++;
    const l = levelsOf(e.name, found);
    if (!seen.has(l.join("/"))) {
      seen.add(l.join("/"));
      levels.push(l);
    }
  }
  if (levels.length === 0) {
    throw new ArchiveError(
      files === 0
        ? "there are no files in the archive"
        : `there is no mail in the archive: none of its ${files} files is a mailbox file, a message or in a Maildir`,
    );
  }
  c.mailboxes = mailboxNames(levels);
  return c;
}

async function look(
  e: ArchiveEntry,
  c: Contents,
): Promise<"maildir" | "mbox" | "message" | undefined> {
  if (/(?:^|\/)dovecot-keywords$/.test(e.name)) {
    const text = new TextDecoder().decode(await whole(e, 1e6) ?? new Uint8Array(0));
    c.keywords.set(e.name.split("/").slice(0, -1).join("/"), parseDovecotKeywords(text));
    return undefined;
  }
  const inMaildir = maildirOf(e.name) !== undefined;
  const start = await firstBytes(e, 5);
  if (inMaildir) return /\/\.[^/]*$/.test(e.name) ? undefined : "maildir";
  if (!mayBeMail(e.name)) return undefined;
  if (start === "From ") return "mbox";
  return /\.(?:eml|emlx?)$/i.test(e.name) ? "message" : undefined;
}

/** The messages of an archive that was looked through. */
export async function* archiveSource(archive: Archive, c: Contents): Source {
  for await (const e of archive.entries()) {
    const kind = c.files.get(e.name);
    if (!kind) continue;
    const below = c.mailboxes.get(levelsOf(e.name, kind).join("/")) ?? "Inbox";
    if (kind === "mbox") {
      yield* mboxIn(e, below);
      continue;
    }
    const content = await whole(e, maxMessage);
    if (content === undefined) {
      yield { place: e.name, problem: `is larger than ${maxMessage} bytes` };
      continue;
    }
    if (kind === "message") yield single(e, below, content);
    else {
      const keywords = c.keywords.get(maildirOf(e.name)!.join("/")) ?? new Map<string, string>();
      yield maildirMessage(e.name, below, content, e.modified, keywords);
    }
  }
}

function single(e: ArchiveEntry, below: string, content: Uint8Array): SourceMessage {
  return {
    place: e.name,
    below,
    content: withCrlf(content),
    flags: 0,
    keywords: [],
    received: e.modified,
  };
}

async function* mboxIn(e: ArchiveEntry, below: string): Source {
  let number = 0;
  try {
    for await (const m of mboxMessages(e.pieces(), { maxSize: maxMessage })) {
      number++;
      yield mboxMessage(`${e.name}, message ${number}`, below, m, true);
    }
  } catch (err) {
    if (err instanceof ArchiveError) throw err;
    yield { place: `${e.name}, after message ${number}`, problem: (err as Error).message };
  }
}
