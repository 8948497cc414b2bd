/**
 * Messages of mailbox files and Maildirs, as they come for an import.
 *
 * @module
 */
import { join } from "node:path";
import { type MboxMessage, mboxMessages, statusFlagsOf } from "../../mail/mbox.ts";
import { splitHeader } from "../../mail/header.ts";
import { decodeWords } from "../../mail/words.ts";
import { Flag, flagNames } from "../types.ts";

/** A message to import. */
export interface SourceMessage {
  /** Where it is, for warnings: a file's name, or the number in a mailbox file. */
  place: string;
  /** Levels below the mailbox that is imported into; "" for that one itself. */
  below: string;
  content: Uint8Array;
  /** Bits of Flag. */
  flags: number;
  keywords: string[];
  /** Milliseconds. */
  received: number;
}

/** What is read instead of a message: the reason that there is none. */
export interface SourceProblem {
  place: string;
  problem: string;
}

/** Messages, one after the other. */
export type Source = AsyncGenerator<SourceMessage | SourceProblem>;

/** Most bytes of a message. */
export const maxMessage = 256 * 1024 * 1024;

const systemFlags = new Map(
  flagNames.map(([bit, name]) => [name.replace(/^[\\$]/, "").toLowerCase(), bit]),
);

/** Bits of flags that have one, and the other names as keywords. */
export function flagsOf(names: readonly string[]): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const name of names) {
    const bit = systemFlags.get(name.replace(/^[\\$]/, "").toLowerCase());
    if (bit !== undefined) flags |= bit;
    else if (/^[\x21\x23\x24\x26\x27\x2b-\x5b\x5e-\x7a\x7c-\x7e]{1,100}$/.test(name)) {
      keywords.push(name.toLowerCase());
    }
  }
  return { flags, keywords: [...new Set(keywords)] };
}

/** The header of a message, at most its first 256 KiB. */
function headerOf(content: Uint8Array): ReturnType<typeof splitHeader> {
  const head = content.subarray(0, 256 * 1024);
  for (let i = 0; i + 3 < head.length; i++) {
    if (head[i] === 13 && head[i + 1] === 10 && head[i + 2] === 13 && head[i + 3] === 10) {
      return splitHeader(head.subarray(0, i + 2));
    }
  }
  return splitHeader(head);
}

/**
 * A mailbox file. Flags come from Status, X-Status, X-Keywords and Gmail's labels; dates from the
 * "From " lines.
 */
export async function* mboxSource(path: string): Source {
  let number = 0;
  const file = await Deno.open(path);
  for await (const m of mboxMessages(file.readable, { maxSize: maxMessage })) {
    yield mboxMessage(`message ${++number}`, "", m);
  }
}

/**
 * A message of a mailbox file.
 * @param byLabels labels of Gmail say which mailbox it is of: its single file has all
 */
export function mboxMessage(
  place: string,
  below: string,
  m: MboxMessage,
  byLabels = false,
): SourceMessage {
  const header = headerOf(m.message);
  const status = statusFlagsOf(header);
  const value = (name: string) => header.find((f) => f.name === name)?.value ?? "";
  const labels = decodeWords(value("x-gmail-labels"));
  const { flags, keywords } = flagsOf([
    ...status.flags,
    ...status.keywords,
    ...gmailFlags(labels),
    ...mozillaFlags(value("x-mozilla-status")),
    ...value("x-mozilla-keys").split(/\s+/).filter((k) => k !== ""),
  ]);
  return {
    place,
    below: (byLabels ? gmailMailbox(labels) : undefined) ?? below,
    content: withoutStatus(m.message),
    flags,
    keywords,
    received: m.date?.getTime() ?? Date.now(),
  };
}

/** Thunderbird's bits of a message, in hexadecimal. */
function mozillaFlags(status: string): string[] {
  const bits = /^[0-9a-f]{4}$/i.test(status.trim()) ? parseInt(status, 16) : 0;
  const names: [number, string][] = [
    [0x1, "Seen"],
    [0x2, "Answered"],
    [0x4, "Flagged"],
    [0x8, "Deleted"],
    [0x1000, "Forwarded"],
  ];
  return names.filter(([bit]) => bits & bit).map(([, name]) => name);
}

/** The mailbox of a message of Gmail's, whose single file has all; undefined without labels. */
function gmailMailbox(labels: string): string | undefined {
  const names = labels.split(",").map((l) => l.trim().replace(/^"|"$/g, "").toLowerCase());
  if (names.length === 1 && names[0] === "") return undefined;
  const mailboxes: [string, string][] = [
    ["trash", "Trash"],
    ["spam", "Junk"],
    ["drafts", "Drafts"],
    ["inbox", "Inbox"],
    ["sent", "Sent"],
  ];
  return mailboxes.find(([label]) => names.includes(label))?.[1] ?? "Archive";
}

/**
 * The message without the status fields that were put before its own header when it was exported: they
 * belong to the mailbox file. Where they stand among its own fields the message is left as it is.
 */
function withoutStatus(content: Uint8Array): Uint8Array {
  let at = 0;
  for (;;) {
    const end = content.indexOf(10, at);
    if (end < 0) return content.subarray(at);
    const line = new TextDecoder("latin1").decode(content.subarray(at, Math.min(end, at + 20)));
    if (!/^(?:Status|X-Status|X-Keywords|X-Mozilla-Status2?|X-Mozilla-Keys):/i.test(line)) {
      return content.subarray(at);
    }
    at = end + 1;
  }
}

/** Labels that are no keywords. */
const gmailPlaces = new Set([
  "unread",
  "opened",
  "inbox",
  "sent",
  "trash",
  "archived",
  "important",
]);

/** Gmail's labels that are flags; the others become keywords. */
function gmailFlags(labels: string): string[] {
  const names = labels.split(",").map((l) => l.trim().replace(/^"|"$/g, "")).filter((l) =>
    l !== ""
  );
  const unread = names.some((n) => n.toLowerCase() === "unread");
  const special: Record<string, string> = { starred: "Flagged", drafts: "Draft", spam: "Junk" };
  const out = names.length > 0 && !unread ? ["Seen"] : [];
  for (const n of names) {
    const lower = n.toLowerCase();
    if (special[lower] !== undefined) out.push(special[lower]);
    else if (!gmailPlaces.has(lower)) {
      out.push(n.replace(/\s+/g, "-"));
    }
  }
  return out;
}

const maildirLetters: Record<string, number> = {
  D: Flag.Draft,
  F: Flag.Flagged,
  P: Flag.Forwarded,
  R: Flag.Answered,
  S: Flag.Seen,
  T: Flag.Deleted,
};

/**
 * A Maildir with those below it (Maildir++, folders named ".A.B", and plain folders). Flags come from the
 * names of the files, keywords from Dovecot's list of them; dates from the files' times.
 */
export async function* maildirSource(path: string, below = "", depth = 0): Source {
  const names = new Set(
    [...Deno.readDirSync(path)].filter((e) => e.isDirectory).map((e) => e.name),
  );
  if (names.has("cur") || names.has("new")) {
    const keywords = dovecotKeywords(path);
    for (const sub of ["new", "cur"]) {
      if (names.has(sub)) yield* maildirFolder(join(path, sub), below, keywords);
    }
  }
  if (depth > 20) return;
  for (const name of [...names].sort()) {
    if (["cur", "new", "tmp"].includes(name)) continue;
    const parts = name.startsWith(".") ? name.slice(1).split(".") : [name];
    if (parts.some((p) => p === "")) continue;
    yield* maildirSource(
      join(path, name),
      [...below === "" ? [] : [below], ...parts].join("/"),
      depth + 1,
    );
  }
}

/** Names of the letters a to z, from the file that Dovecot keeps them in. */
function dovecotKeywords(path: string): Map<string, string> {
  try {
    return parseDovecotKeywords(Deno.readTextFileSync(join(path, "dovecot-keywords")));
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    return new Map();
  }
}

/** The same from the file's text. */
export function parseDovecotKeywords(text: string): Map<string, string> {
  const keywords = new Map<string, string>();
  for (const line of text.split("\n").slice(0, 1000)) {
    const m = /^(\d{1,2}) (\S+)/.exec(line);
    if (m !== null) keywords.set(String.fromCharCode(97 + Number(m[1])), m[2]);
  }
  return keywords;
}

/** A message of a Maildir, by the name of its file. */
export function maildirMessage(
  place: string,
  below: string,
  content: Uint8Array,
  received: number,
  keywords: ReadonlyMap<string, string>,
): SourceMessage {
  const letters = /[:;!]2,([A-Za-z]*)$/.exec(place)?.[1] ?? "";
  const named = flagsOf([...letters].flatMap((l) => keywords.get(l) ?? []));
  let flags = named.flags;
  for (const l of letters) flags |= maildirLetters[l] ?? 0;
  return {
    place,
    below,
    content: withCrlf(content),
    flags,
    keywords: named.keywords,
    received,
  };
}

async function* maildirFolder(
  path: string,
  below: string,
  keywords: Map<string, string>,
): Source {
  const files = [...Deno.readDirSync(path)].filter((e) => e.isFile && !e.name.startsWith("."));
  for (const { name } of files.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const file = join(path, name);
    const place = join(below, name);
    try {
      const info = await Deno.stat(file);
      if (info.size > maxMessage) {
        yield { place, problem: `is larger than ${maxMessage} bytes` };
        continue;
      }
      const content = await Deno.readFile(file);
      yield maildirMessage(
        place,
        below,
        content,
        info.mtime?.getTime() ?? Date.now(),
        keywords,
      );
    } catch (err) {
      yield { place, problem: err instanceof Error ? err.message : String(err) };
    }
  }
}

/** The same with CRLF at the end of each line. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  let bare = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] !== 13) bare++;
  }
  if (bare === 0) return bytes;
  const out = new Uint8Array(bytes.length + bare);
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] !== 13) out[at++] = 13;
    out[at++] = bytes[i];
  }
  return out;
}
