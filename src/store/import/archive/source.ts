/**
 * The messages of an archive: from its Maildirs, mailbox files and single messages, with the mailboxes that its
 * folders represent.
 *
 * The archive is read twice: first for its mailboxes and keywords, and to see whether it is readable at all;
 * nothing is imported from an unreadable one. Memory use grows with folders and mailbox files, not with
 * messages.
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
import { mboxSource, mozillaMessage } from "../mbox.ts";
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

/** What the first pass over an archive found. */
export interface Contents {
  /** Mailboxes by the levels of their files, see levelsKey. */
  mailboxes: Map<string, string>;
  /** Mailbox files. */
  mboxes: Set<string>;
  /** Dovecot's keywords of a Maildir, by its folder. */
  keywords: Map<string, Map<string, string>>;
  /** By folder. */
  sequences: Map<string, MhSequences>;
  /** The list of our own export, and the folder that contains it. */
  index: { folder: string; list: TransferIndex; places: Map<string, Place> } | undefined;
  /** Levels of Maildirs found by marker files of their programs, even without messages. */
  maildirs: string[][];
  /** Mailboxes that their user subscribed to, by levelsKey; undefined without such a list. */
  subscribed: Set<string> | undefined;
  /** Number of mail files, and bytes of all files whose size is known. */
  files: number;
  bytes: number;
}

/** Bytes of a file that are enough to detect its kind. */
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

/** Kind of a file by its name, if the name shows that it is mail. */
function kindByName(name: string): Exclude<Kind, "mbox"> | undefined {
  if (maildirOf(name) !== undefined) return /\/\.[^/]*$/.test(name) ? undefined : "maildir";
  if (!mayBeMail(name)) return undefined;
  if (/\.emlx$/i.test(name)) return "emlx";
  if (/\.eml$/i.test(name)) return "message";
  return /(?:^|\/)\d{1,9}$/.test(name) ? "mh" : undefined;
}

async function whole(entry: ArchiveEntry, max: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const p of entry.pieces()) {
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

async function wholeText(entry: ArchiveEntry, max: number): Promise<string> {
  return new TextDecoder().decode(await whole(entry, max));
}

/** The first bytes of a file; the rest is read as well, so that damage is found now. */
async function firstBytes(entry: ArchiveEntry, length: number): Promise<string> {
  let text = "";
  for await (const p of entry.pieces()) {
    if (text.length < length) text += new TextDecoder("latin1").decode(p.subarray(0, length));
  }
  return text.slice(0, length);
}

export interface LookOptions {
  signal?: AbortSignal;
  /** Called with the number of files from time to time. */
  progress?: (files: number) => void;
  /**
   * The folders are exactly the user's: none is left out, and the topmost one's messages belong to the mailbox
   * itself.
   */
  exact?: boolean;
}

/** First pass over an archive. @throws ArchiveError if it can't be read, or has no mail in it */
export async function lookThrough(
  archive: Archive,
  options: LookOptions = {},
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
    options.signal?.throwIfAborted();
    if (++files % 1000 === 0) options.progress?.(files);
    const found = await look(e, c);
    if (!found) continue;
    c.files++;
    c.bytes += e.size ?? 0;
    const l = levelsOf(e.name, found);
    levels.set(levelsKey(l), l);
  }
  options.progress?.(files);
  for (const l of c.maildirs) levels.set(levelsKey(l), l);
  if (levels.size === 0 && !c.index) {
    throw new ArchiveError(
      files === 0
        ? "there are no files in the archive"
        : `there is no mail in the archive: none of its ${files} files is a mailbox file, a message or in a Maildir`,
    );
  }
  c.mailboxes = mailboxNames([...levels.values()], options.exact);
  return c;
}

/** Marker files of programs in each Maildir. */
const maildirMarks = new Set(["maildirfolder", "dovecot-uidlist", "courierimapuiddb"]);

async function look(entry: ArchiveEntry, contents: Contents): Promise<Kind | undefined> {
  const file = entry.name.slice(entry.name.lastIndexOf("/") + 1);
  const folder = folderOf(entry.name).join("/");
  if (file === "dovecot-keywords") {
    contents.keywords.set(folder, parseDovecotKeywords(await wholeText(entry, 1e6)));
    return undefined;
  }
  if (maildirMarks.has(file)) {
    contents.maildirs.push(maildirLevels(folderOf(entry.name)));
    return undefined;
  }
  if (file === "subscriptions" || file === "courierimapsubscribed") {
    const above = maildirLevels(folderOf(entry.name));
    contents.subscribed ??= new Set();
    for (const levels of subscribedLevels(await wholeText(entry, 1e6))) {
      contents.subscribed.add(levelsKey([...above, ...levels]));
    }
    return undefined;
  }
  if (file === ".mh_sequences") {
    contents.sequences.set(folder, parseMhSequences(await wholeText(entry, 1e7)));
    return undefined;
  }
  if (file === indexName && !contents.index) {
    const list = parseTransferIndex(await wholeText(entry, maxIndex));
    if (list) {
      const places = new Map(list.mailboxes.map((m): [string, Place] => {
        const use = specialUseBit(m.specialUse);
        return [m.path, { below: m.name, ...use ? { use } : {} }];
      }));
      contents.index = { folder, list, places };
    }
    return undefined;
  }
  const kind = kindByName(entry.name);
  const start = await firstBytes(entry, startLength);
  if (kind === "maildir" || kind === "message" || kind === "emlx") return kind;
  if (!mayBeMail(entry.name)) return undefined;
  if (start.startsWith("From ")) {
    contents.mboxes.add(entry.name);
    return "mbox";
  }
  return kind === "mh" && looksLikeHeader(start) ? kind : undefined;
}

/** Whether a file begins with a header field. */
export function looksLikeHeader(start: string): boolean {
  return /^[!-9;-~]{1,76}:[ \t\r\n]/.test(start);
}

/** The name below a folder, if it is below it. */
function below(folder: string, name: string): string | undefined {
  if (folder === "") return name;
  return name.startsWith(`${folder}/`) ? name.slice(folder.length + 1) : undefined;
}

function placeOf(contents: Contents, name: string, kind: Kind): Place {
  if (contents.index) {
    const path = below(
      contents.index.folder,
      kind === "maildir" ? maildirOf(name)!.join("/") : name,
    );
    const place = path === undefined ? undefined : contents.index.places.get(path);
    if (place) return place;
  }
  return placeAt(contents, levelsOf(name, kind));
}

function placeAt(contents: Contents, levels: readonly string[]): Place {
  const key = levelsKey(levels);
  const below = contents.mailboxes.get(key) ?? "";
  const hidden = contents.subscribed !== undefined && below !== "" && !contents.subscribed.has(key);
  return { below, ...hidden ? { unsubscribed: true } : {} };
}

/** The messages of an archive after the first pass. */
export async function* archiveSource(archive: Archive, contents: Contents): Source {
  yield* contents.index?.places.values() ?? [];
  if (!contents.index) { for (const levels of contents.maildirs) yield placeAt(contents, levels); }
  for await (const e of archive.entries()) {
    const kind = contents.mboxes.has(e.name) ? "mbox" : kindByName(e.name);
    if (kind === undefined) continue;
    const place = placeOf(contents, e.name, kind);
    if (kind === "mbox") {
      yield* mboxIn(e, place, contents.index === undefined);
      continue;
    }
    const content = await whole(e, maxMessage);
    if (content === undefined) {
      yield { place: e.name, problem: tooLarge };
      continue;
    }
    const plain = kind === "maildir" ? await unpacked(content) : content;
    const found = typeof plain === "string" ? plain : message(contents, e, kind, plain);
    if (typeof found === "string") yield { place: e.name, problem: found };
    else if (found) yield { ...found, ...place };
  }
}

function message(
  contents: Contents,
  entry: ArchiveEntry,
  kind: Exclude<Kind, "mbox">,
  content: Uint8Array,
): Omit<SourceMessage, "below"> | string | undefined {
  const folder = folderOf(entry.name).join("/");
  switch (kind) {
    case "maildir": {
      const keywords = contents.keywords.get(maildirOf(entry.name)!.join("/")) ??
        new Map<string, string>();
      const path = contents.index &&
        below(contents.index.folder, entry.name.replace(/[:;!]2,[A-Za-z]*$/, ""));
      const more = path !== undefined && Object.hasOwn(contents.index!.list.keywords, path)
        ? contents.index!.list.keywords[path]
        : [];
      const found = maildirMessage(entry.name, content, entry.modified, keywords, more);
      // Names with flags come from other programs.
      const mozilla = /[:;!]2,/.test(entry.name) ? undefined : mozillaMessage(found.content);
      return typeof mozilla === "object" ? { ...found, ...mozilla } : mozilla ?? found;
    }
    case "emlx":
      return emlxMessage(entry.name, content, entry.modified) ??
        "is no message of Apple Mail: its length is missing or wrong";
    case "mh":
      return looksLikeHeader(new TextDecoder("latin1").decode(content.subarray(0, startLength)))
        ? mhMessage(entry.name, content, entry.modified, contents.sequences.get(folder))
        : undefined;
    case "message": {
      const text = withCrlf(content);
      const mozilla = mozillaMessage(text) ?? { content: text, flags: 0, keywords: [] };
      if (typeof mozilla === "string") return mozilla;
      return {
        place: entry.name,
        ...mozilla,
        received: receivedOf(headerOf(mozilla.content)) ?? entry.modified,
      };
    }
  }
}

async function* mboxIn(entry: ArchiveEntry, place: Place, byLabels: boolean): Source {
  try {
    yield* mboxSource(entry.name, entry.pieces(), place.below, byLabels, place.use);
  } catch (err) {
    if (!(err instanceof MboxError)) throw err;
    yield { place: entry.name, problem: err.message };
  }
}
