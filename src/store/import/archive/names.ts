/** Which files of an archive are mail, and which mailboxes they belong to. @module */
import { decodeUtf7 } from "../../../mail/text/utf7.ts";

/** Levels of a file's folder. */
export function folderOf(name: string): string[] {
  return name.split("/").slice(0, -1);
}

/** The Maildir that a file is a message of: its levels, without "cur" or "new". */
export function maildirOf(name: string): string[] | undefined {
  const folder = folderOf(name);
  const last = folder.at(-1);
  return last === "cur" || last === "new" ? folder.slice(0, -1) : undefined;
}

/** Files next to mail that are not mail. */
const notMail =
  /(?:^|\/)(?:\.DS_Store|__MACOSX\/.*|dovecot.*|maildirfolder|subscriptions|courier.*|table_of_contents|.*\.(?:msf|dat|plist|json|html?|idx|log|cache|db))$/i;

/** Whether a file could be a mailbox file or a single message, and must be inspected. */
export function mayBeMail(name: string): boolean {
  if (notMail.test(name)) return false;
  return !folderOf(name).includes("tmp") || maildirOf(name) !== undefined;
}

/** The name that a mail program shows for a folder on disk: some programs store names in modified UTF-7. */
function shownName(level: string): string {
  return decodeUtf7(level) ?? level;
}

/** Folders of Thunderbird and Apple Mail: "X.sbd" has those below X, "X.mbox" is X. */
function shownFolder(level: string): string {
  return shownName(level.replace(/\.(?:sbd|mbox|imapmbox)$/i, ""));
}

/**
 * Levels of the mailbox of a mailbox file: Thunderbird's folders "X.sbd" hold the mailboxes below X, Apple
 * Mail's "X.mbox" is a folder with a file "mbox" in it.
 */
export function mboxLevels(name: string): string[] {
  const levels = name.split("/");
  const file = levels.pop()!;
  const above = levels.map(shownFolder);
  if (/^mbox$/i.test(file) && /\.mbox$/i.test(levels.at(-1) ?? "")) return above;
  return [...above, shownName(file.replace(/\.(?:mbox|mboxrd|mbx)$/i, ""))];
}

/** Levels of the mailbox of a message in a separate file. */
export function messageLevels(name: string): string[] {
  return folderOf(name).map(shownFolder);
}

/** The same in Apple Mail's own folders, where messages are some levels below "X.mbox". */
export function emlxLevels(name: string): string[] {
  const levels = folderOf(name);
  const last = levels.findLastIndex((l) => /\.(?:mbox|imapmbox)$/i.test(l));
  return levels.slice(0, last < 0 ? undefined : last + 1).map(shownFolder);
}

/**
 * Levels of a Maildir: "X/.A.B" is the mailbox A/B of the Maildir++ X, and KMail's ".A.directory" holds those
 * below A.
 */
export function maildirLevels(folder: readonly string[]): string[] {
  return folder.flatMap((l) => {
    const kmail = /^\.(.+)\.directory$/.exec(l);
    if (kmail) return [kmail[1]];
    return l.startsWith(".")
      ? l.slice(1).split(".").filter((p) => p !== "").map(shownName)
      : [shownFolder(l)];
  });
}

/**
 * Levels of the mailboxes in a list of subscriptions, below the Maildir that contains it, as written by Courier
 * or by Dovecot (tabs between levels since version 2.2, dots before).
 */
export function subscribedLevels(text: string): string[][] {
  const lines = text.split(/\r?\n/).slice(0, 100_000);
  const tabs = lines[0] === "V\t2";
  return lines.slice(tabs ? 1 : 0).filter((l) => l !== "").flatMap((line) => {
    const levels = line.split(tabs ? "\t" : line.includes("/") ? "/" : ".")
      .filter((l) => l !== "").map(shownName);
    // Courier lists all mailboxes below INBOX, Dovecot only those whose folders begin with it.
    return /^inbox$/i.test(levels[0] ?? "") ? [levels, levels.slice(1)] : [levels];
  });
}

/**
 * Thunderbird's folders of accounts, such as ImapMail/imap.example.org: left out for a single account;
 * otherwise each account's mailboxes are below its name.
 */
function withoutProfile(all: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const at = (l: readonly string[]) => l.findIndex((x) => /^(?:ImapMail|Mail)$/.test(x));
  const local = /^local folders$/i;
  const accounts = new Set(
    all.filter((l) => at(l) >= 0 && l.length > at(l) + 2).map((l) => l[at(l) + 1]),
  );
  if (accounts.size < 2) return all;
  const servers = [...accounts].filter((a) => !local.test(a));
  return all.map((l) => {
    const i = at(l);
    if (i < 0 || l.length <= i + 2) return l;
    return l.slice(i + (servers.length === 1 && l[i + 1] === servers[0] ? 2 : 1));
  });
}

/** Names that programs give to the folder that holds all mail. */
const around = /^(?:maildir|mail|\.maildir|takeout|imapmail|local folders|profile|backup|export)$/i;

/** Levels as the key of a map. */
export function levelsKey(levels: readonly string[]): string {
  return levels.join("\0");
}

/**
 * The mailbox's name for each list of levels, by their key. Levels common to all are left out, and so is the
 * name of a Maildir++ or another folder around all mail; that folder itself is the Inbox.
 * @param exact nothing is left out, and a mailbox without levels has no name
 */
export function mailboxNames(
  given: readonly (readonly string[])[],
  exact = false,
): Map<string, string> {
  const all = exact ? given : withoutProfile(given);
  let cut = 0;
  const shortest = exact ? 0 : all.reduce((n, l) => Math.min(n, l.length), Infinity);
  while (cut < shortest && all.every((l) => l[cut] === all[0][cut])) {
    const isMailbox = all.some((l) => l.length === cut + 1);
    // A single mailbox keeps its own name, unless the name is generic.
    if (isMailbox && !around.test(all[0][cut])) break;
    cut++;
  }
  const names = new Map<string, string>();
  for (const [i, levels] of all.entries()) {
    const rest = levels.slice(cut).map(cleanLevel).filter((l) => l !== "");
    if (/^inbox$/i.test(rest[0] ?? "")) rest[0] = "Inbox";
    names.set(levelsKey(given[i]), rest.length === 0 && !exact ? "Inbox" : rest.join("/"));
  }
  return names;
}

/** A level in a form allowed in a mailbox's name. */
function cleanLevel(level: string): string {
  // deno-lint-ignore no-control-regex
  const text = level.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f%*\\/]/g, "_").trim();
  return text === "." || text === ".." ? "_" : text.replace(/^#+/, "").slice(0, 200);
}
