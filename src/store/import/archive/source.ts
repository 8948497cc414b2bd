/**
 * The messages of an archive: of its Maildirs, mailbox files and single messages, with the mailboxes that the
 * archive's folders stand for.
 *
 * The archive is read twice: first for its mailboxes and keywords, and for whether it can be read at all; nothing
 * is imported of one that can't. What is kept in memory grows with folders and mailbox files, not with messages.
 *
 * @module
 */
import { MboxError } from "../../../mail/mbox/read.ts";
import {
  indexName,
  maxIndex,
  parseTransferIndex,
  specialUseBit,
  type TransferIndex,
} from "../../transfer_index.ts";
import { emlxMessage } from "../emlx.ts";
import { unpacked } from "../compressed.ts";
import { maildirMessage, parseDovecotKeywords } from "../maildir.ts";
import { mboxSource } from "../mbox.ts";
import { mhMessage, type MhSequences, parseMhSequences } from "../mh.ts";
import {
  headerOf,
  maxMessage,
  receivedOf,
  type Source,
  type SourceMessage,
  tooLarge,
  withCrlf,
} from "../sources.ts";
import {
  emlxLevels,
  folderOf,
  levelsKey,
  mailboxNames,
  maildirLevels,
  maildirOf,
  mayBeMail,
  mboxLevels,
  messageLevels,
  subscribedLevels,
} from "./names.ts";
import { type Archive, type ArchiveEntry, ArchiveError } from "./types.ts";

type Kind = "maildir" | "mbox" | "message" | "emlx" | "mh";

/** Where messages go. */
interface Place {
  below: string;
  use?: number;
  unsubscribed?: boolean;
}

/** What is known of an archive when it has been looked through. */
export interface Contents {
  /** Mailboxes by the levels of their files, see levelsKey. */
  mailboxes: Map<string, string>;
  /** Mailbox files. */
  mboxes: Set<string>;
  /** Dovecot's keywords of a Maildir, by its folder. */
  keywords: Map<string, Map<string, string>>;
  /** By folder. */
  sequences: Map<string, MhSequences>;
  /** The list of our own export, and the folder it is in. */
  index: { folder: string; list: TransferIndex; places: Map<string, Place> } | undefined;
  /** Maildirs by marks of their programs, also those without messages: their levels. */
  maildirs: string[][];
  /** Mailboxes that their user chose to see, by levelsKey; undefined without a list of them. */
  subscribed: Set<string> | undefined;
  /** Files that are mail, and bytes of all files that are known. */
  files: number;
  bytes: number;
}

/** Bytes of a file that tell what it is. */
const startLength = 200;

function levelsOf(name: string, kind: Kind): readonly string[] {
  switch (kind) {
    case "maildir":
      return maildirLevels(maildirOf(name)!);
    case "mbox":
      return mboxLevels(name);
    case "emlx":
      return emlxLevels(name);
    case "mh":
    case "message":
      return messageLevels(name);
  }
}

/** Kind of a file that its name tells, if it is mail. */
function kindByName(name: string): Exclude<Kind, "mbox"> | undefined {
  if (maildirOf(name) !== undefined) return /\/\.[^/]*$/.test(name) ? undefined : "maildir";
  if (!mayBeMail(name)) return undefined;
  if (/\.emlx$/i.test(name)) return "emlx";
  if (/\.eml$/i.test(name)) return "message";
  return /(?:^|\/)\d{1,9}$/.test(name) ? "mh" : undefined;
}

async function whole(e: ArchiveEntry, max: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const p of e.pieces()) {
    size += p.length;
    if (size <= max) pieces.push(p);
  }
  if (size > max) return undefined;
  if (pieces.length === 1) return pieces[0];
  const out = new Uint8Array(size);
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

async function wholeText(e: ArchiveEntry, max: number): Promise<string> {
  return new TextDecoder().decode(await whole(e, max));
}

/** The first bytes of a file; the rest is read too, so that damage is found now. */
async function firstBytes(e: ArchiveEntry, length: number): Promise<string> {
  let text = "";
  for await (const p of e.pieces()) {
    if (text.length < length) text += new TextDecoder("latin1").decode(p.subarray(0, length));
  }
  return text.slice(0, length);
}

export interface LookOptions {
  signal?: AbortSignal;
  /** Told the number of files from time to time. */
  progress?: (files: number) => void;
  /** Folders are those that the user meant: none is left out, and what is in the topmost is of the mailbox itself. */
  exact?: boolean;
}

/** Looks through an archive. @throws ArchiveError if it can't be read, or has no mail in it */
export async function lookThrough(
  archive: Archive,
  o: LookOptions = {},
): Promise<Contents> {
  const c: Contents = {
    mailboxes: new Map(),
    mboxes: new Set(),
    keywords: new Map(),
    sequences: new Map(),
    index: undefined,
    maildirs: [],
    subscribed: undefined,
    files: 0,
    bytes: 0,
  };
  const levels = new Map<string, readonly string[]>();
  let files = 0;
  for await (const e of archive.entries()) {
    o.signal?.throwIfAborted();
    if (++files % 1000 === 0) o.progress?.(files);
    const found = await look(e, c);
    if (!found) continue;
    c.files++;
    c.bytes += e.size ?? 0;
    const l = levelsOf(e.name, found);
    levels.set(levelsKey(l), l);
  }
  o.progress?.(files);
  for (const l of c.maildirs) levels.set(levelsKey(l), l);
  if (levels.size === 0 && !c.index) {
    throw new ArchiveError(
      files === 0
        ? "there are no files in the archive"
        : `there is no mail in the archive: none of its ${files} files is a mailbox file, a message or in a Maildir`,
    );
  }
  c.mailboxes = mailboxNames([...levels.values()], o.exact);
  return c;
}

/** Files in each Maildir of a program. */
const maildirMarks = new Set(["maildirfolder", "dovecot-uidlist", "courierimapuiddb"]);

async function look(e: ArchiveEntry, c: Contents): Promise<Kind | undefined> {
  const file = e.name.slice(e.name.lastIndexOf("/") + 1);
  const folder = folderOf(e.name).join("/");
  if (file === "dovecot-keywords") {
    c.keywords.set(folder, parseDovecotKeywords(await wholeText(e, 1e6)));
    return undefined;
  }
  if (maildirMarks.has(file)) {
    c.maildirs.push(maildirLevels(folderOf(e.name)));
    return undefined;
  }
  if (file === "subscriptions" || file === "courierimapsubscribed") {
    const above = maildirLevels(folderOf(e.name));
    c.subscribed ??= new Set();
    for (const levels of subscribedLevels(await wholeText(e, 1e6))) {
      c.subscribed.add(levelsKey([...above, ...levels]));
    }
    return undefined;
  }
  if (file === ".mh_sequences") {
    c.sequences.set(folder, parseMhSequences(await wholeText(e, 1e7)));
    return undefined;
  }
  if (file === indexName && !c.index) {
    const list = parseTransferIndex(await wholeText(e, maxIndex));
    if (list) {
      const places = new Map(list.mailboxes.map((m): [string, Place] => {
        const use = specialUseBit(m.specialUse);
        return [m.path, { below: m.name, ...use ? { use } : {} }];
      }));
      c.index = { folder, list, places };
    }
    return undefined;
  }
  const kind = kindByName(e.name);
  const start = await firstBytes(e, startLength);
  if (kind === "maildir" || kind === "message" || kind === "emlx") return kind;
  if (!mayBeMail(e.name)) return undefined;
  if (start.startsWith("From ")) {
    c.mboxes.add(e.name);
    return "mbox";
  }
  return kind === "mh" && looksLikeHeader(start) ? kind : undefined;
}

/** Whether a file begins with a header field. */
export function looksLikeHeader(start: string): boolean {
  return /^[!-9;-~]{1,76}:[ \t\r\n]/.test(start);
}

/** The name below a folder, if it is there. */
function below(folder: string, name: string): string | undefined {
  if (folder === "") return name;
  return name.startsWith(`${folder}/`) ? name.slice(folder.length + 1) : undefined;
}

function placeOf(c: Contents, name: string, kind: Kind): Place {
  if (c.index) {
    const path = below(c.index.folder, kind === "maildir" ? maildirOf(name)!.join("/") : name);
    const place = path === undefined ? undefined : c.index.places.get(path);
    if (place) return place;
  }
  return placeAt(c, levelsOf(name, kind));
}

function placeAt(c: Contents, levels: readonly string[]): Place {
  const key = levelsKey(levels);
  const below = c.mailboxes.get(key) ?? "";
  const hidden = c.subscribed !== undefined && below !== "" && !c.subscribed.has(key);
  return { below, ...hidden ? { unsubscribed: true } : {} };
}

/** The messages of an archive that was looked through. */
export async function* archiveSource(archive: Archive, c: Contents): Source {
  yield* c.index?.places.values() ?? [];
  if (!c.index) { for (const levels of c.maildirs) yield placeAt(c, levels); }
  for await (const e of archive.entries()) {
    const kind = c.mboxes.has(e.name) ? "mbox" : kindByName(e.name);
    if (kind === undefined) continue;
    const place = placeOf(c, e.name, kind);
    if (kind === "mbox") {
      yield* mboxIn(e, place, c.index === undefined);
      continue;
    }
    const content = await whole(e, maxMessage);
    if (content === undefined) {
      yield { place: e.name, problem: tooLarge };
      continue;
    }
    const plain = kind === "maildir" ? await unpacked(content) : content;
    const found = typeof plain === "string" ? plain : message(c, e, kind, plain);
    if (typeof found === "string") yield { place: e.name, problem: found };
    else if (found) yield { ...found, ...place };
  }
}

function message(
  c: Contents,
  e: ArchiveEntry,
  kind: Exclude<Kind, "mbox">,
  content: Uint8Array,
): Omit<SourceMessage, "below"> | string | undefined {
  const folder = folderOf(e.name).join("/");
  switch (kind) {
    case "maildir": {
      const keywords = c.keywords.get(maildirOf(e.name)!.join("/")) ?? new Map<string, string>();
      const path = c.index && below(c.index.folder, e.name.replace(/[:;!]2,[A-Za-z]*$/, ""));
      const more = path !== undefined && Object.hasOwn(c.index!.list.keywords, path)
        ? c.index!.list.keywords[path]
        : [];
      return maildirMessage(e.name, content, e.modified, keywords, more);
    }
    case "emlx":
      return emlxMessage(e.name, content, e.modified) ??
        "is no message of Apple Mail: its length is missing or wrong";
    case "mh":
      return looksLikeHeader(new TextDecoder("latin1").decode(content.subarray(0, startLength)))
        ? mhMessage(e.name, content, e.modified, c.sequences.get(folder))
        : undefined;
    case "message": {
      const text = withCrlf(content);
      return {
        place: e.name,
        content: text,
        flags: 0,
        keywords: [],
        received: receivedOf(headerOf(text)) ?? e.modified,
      };
    }
  }
}

async function* mboxIn(e: ArchiveEntry, place: Place, byLabels: boolean): Source {
  try {
    yield* mboxSource(e.name, e.pieces(), place.below, byLabels, place.use);
  } catch (err) {
    if (!(err instanceof MboxError)) throw err;
    yield { place: e.name, problem: err.message };
  }
}
