/**
 * The mail spool of Cyrus on disk: a folder for each mailbox, with a file for each message, `cyrus.header` and
 * `cyrus.index`. Before Cyrus 3.6 folders are named after mailboxes, with or without hashing
 * (`domain/e/example.org/a/user/ann/Sent`); since then after their ids, with the name in the header.
 *
 * @module
 */
import { join } from "node:path";
import { decodeUtf7 } from "../../../mail/text/utf7.ts";
import { flagsOf, maxMessage, type Source, tooLarge, withCrlf } from "../sources.ts";
import { type CyrusHeader, parseCyrusHeader } from "./header.ts";
import { type CyrusRecord, parseCyrusIndex } from "./index_file.ts";

/** The user and levels of a mailbox; no levels for the Inbox. */
export interface CyrusName {
  user: string;
  /** "" for the default one. */
  domain: string;
  levels: string[];
}

export interface CyrusMailbox extends CyrusName {
  folder: string;
  keywords: readonly string[];
  /** "" before Cyrus 3.6. */
  id: string;
}

/** Levels of folders that are searched. */
const maxDepth = 64;
/** Bytes of a header, and of an index. */
const [maxHeader, maxIndex] = [1 << 20, 1 << 30];

/** The parts of a name: separated by dots, with ^ for a dot inside a part. */
function nameParts(domain: string, parts: readonly string[]): CyrusName | undefined {
  if (parts.length < 2 || parts[0] !== "user" || parts[1] === "") return undefined;
  const plain = parts.slice(1).map((p) => p.replaceAll("^", "."));
  if (plain.includes("")) return undefined;
  return {
    user: plain[0],
    domain,
    levels: plain.slice(1).map((p) => (decodeUtf7(p) ?? p).replaceAll("/", "_")),
  };
}

/**
 * Parses the name in the header: `user.ann.Sent`, `example.org!user.ann`. Undefined unless it is a user's
 * mailbox.
 */
export function cyrusNameOf(name: string): CyrusName | undefined {
  const mark = name.indexOf("!");
  return nameParts(mark < 0 ? "" : name.slice(0, mark), name.slice(mark + 1).split("."));
}

/** Parses the folder's path below the spool. Undefined unless it is a user's mailbox. */
export function cyrusNameOfPath(path: readonly string[]): CyrusName | undefined {
  let [domain, rest] = ["", path];
  if (path[0] === "domain") {
    // With hashing, a letter stands between them.
    const at = path[1]?.length === 1 && path[2]?.includes(".") ? 2 : 1;
    [domain, rest] = [path[at] ?? "", path.slice(at + 1)];
  }
  return nameParts(domain, rest[0] !== "user" && rest[0]?.length === 1 ? rest.slice(1) : rest);
}

/**
 * Finds the mailboxes of users in a spool, or a part of one.
 * @throws file errors
 */
export async function* cyrusMailboxes(
  spool: string,
  signal?: AbortSignal,
): AsyncGenerator<CyrusMailbox> {
  for await (const [kind, m] of look(spool, [], signal)) {
    // Calendars and the like, from versions whose header has no kind.
    if (kind === "mail" && !m.levels.some((l) => l.startsWith("#"))) yield m;
  }
}

/**
 * Like {@link cyrusMailboxes}, but finds folders that hold a user's Sieve scripts as messages (Cyrus 3.6).
 * @returns also the id of each user's Inbox
 */
export async function cyrusScriptFolders(
  spool: string,
): Promise<{ folders: CyrusMailbox[]; inboxes: CyrusMailbox[] }> {
  const folders: CyrusMailbox[] = [], inboxes: CyrusMailbox[] = [];
  for await (const [kind, m] of look(spool, [], undefined)) {
    if (kind === "scripts") folders.push(m);
    else if (m.levels.length === 0) inboxes.push(m);
  }
  return { folders, inboxes };
}

async function* look(
  folder: string,
  path: string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<[CyrusHeader["kind"], CyrusMailbox]> {
  signal?.throwIfAborted();
  const below: string[] = [];
  let header: CyrusHeader | undefined;
  for await (const e of Deno.readDir(folder)) {
    if (e.isDirectory) below.push(e.name);
    else if (e.name === "cyrus.header") header = await readHeader(join(folder, e.name));
  }
  if (header) {
    const name = header.name === undefined ? cyrusNameOfPath(path) : cyrusNameOf(header.name);
    const { id, keywords, kind } = header;
    if (name) yield [kind, { ...name, folder, keywords, id }];
  }
  if (path.length >= maxDepth) return;
  for (const name of below.sort()) yield* look(join(folder, name), [...path, name], signal);
}

async function readHeader(path: string): Promise<CyrusHeader | undefined> {
  if ((await Deno.stat(path)).size > maxHeader) return undefined;
  return parseCyrusHeader(new TextDecoder("latin1").decode(await Deno.readFile(path)));
}

/** The messages of mailboxes, with flags, keywords and dates from their indexes. */
export async function* cyrusSource(mailboxes: readonly CyrusMailbox[]): Source {
  for (const m of mailboxes) {
    const below = m.levels.length === 0 ? "Inbox" : m.levels.join("/");
    yield { below };
    const records = await readCyrusIndex(m.folder);
    if (typeof records === "string") {
      yield {
        place: join(m.folder, "cyrus.index"),
        problem: `${records}: the mailbox is imported without flags`,
      };
    }
    const uids: number[] = [];
    for await (const e of Deno.readDir(m.folder)) {
      const uid = /^([1-9]\d{0,9})\.$/.exec(e.name);
      if (uid && e.isFile) uids.push(Number(uid[1]));
    }
    const there = new Set(uids);
    for (const uid of uids.sort((a, b) => a - b)) {
      const r = typeof records === "string" ? undefined : records.get(uid);
      if (r?.gone) continue;
      yield await message(m, below, uid, r);
    }
    if (typeof records === "string") continue;
    for (const [uid, r] of records) {
      if (r.gone || there.has(uid)) continue;
      const problem = "is in the index, and the file is missing here (in an archive partition?)";
      yield { place: join(m.folder, `${uid}.`), problem };
    }
  }
}

async function message(
  mailbox: CyrusMailbox,
  below: string,
  uid: number,
  record: CyrusRecord | undefined,
) {
  const place = join(mailbox.folder, `${uid}.`);
  const { size, mtime } = await Deno.stat(place);
  if (size > maxMessage) return { place, problem: tooLarge };
  const named = flagsOf((record?.keywords ?? []).flatMap((n) => mailbox.keywords[n] || []));
  return {
    place,
    below,
    content: withCrlf(await Deno.readFile(place)),
    flags: (record?.flags ?? 0) | named.flags,
    keywords: named.keywords,
    received: record?.received ?? mtime?.getTime() ?? 0,
  };
}

/** The records of a mailbox's index; or why they can't be read. */
export async function readCyrusIndex(folder: string): Promise<Map<number, CyrusRecord> | string> {
  const path = join(folder, "cyrus.index");
  try {
    if ((await Deno.stat(path)).size > maxIndex) return "is too large";
    return await parseCyrusIndex(await Deno.readFile(path), async (uid) => {
      try {
        return (await Deno.stat(join(folder, `${uid}.`))).size;
      } catch (err) {
        if (err instanceof Deno.errors.NotFound) return undefined;
        throw err;
      }
    });
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return "is missing";
    throw err;
  }
}
