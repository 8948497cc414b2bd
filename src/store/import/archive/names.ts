/** Which files of an archive are mail, and what mailboxes they are of. @module */

/** Levels of a file's folder. */
function folderOf(name: string): string[] {
  return name.split("/").slice(0, -1);
}

/** The Maildir that a file is a message of: its levels, without "cur" or "new". */
export function maildirOf(name: string): string[] | undefined {
  const folder = folderOf(name);
  const last = folder.at(-1);
  return last === "cur" || last === "new" ? folder.slice(0, -1) : undefined;
}

/** Files that stand beside mail and are none. */
const notMail =
  /(?:^|\/)(?:\.DS_Store|__MACOSX\/.*|dovecot.*|maildirfolder|subscriptions|courier.*|table_of_contents|.*\.(?:msf|dat|plist|json|html?|idx|log|cache|db))$/i;

/** Whether a file could be a mailbox file or a single message, to be looked into. */
export function mayBeMail(name: string): boolean {
  if (notMail.test(name)) return false;
  return !folderOf(name).includes("tmp") || maildirOf(name) !== undefined;
}

/**
 * Levels of the mailbox of a mailbox file: Thunderbird's folders "X.sbd" are those below X, Apple Mail's "X.mbox"
 * is a folder with a file "mbox" in it.
 */
export function mboxLevels(name: string): string[] {
  const levels = name.split("/");
  const file = levels.pop()!;
  const above = levels.map((l) => l.replace(/\.(?:sbd|mbox)$/i, ""));
  if (/^mbox$/i.test(file) && /\.mbox$/i.test(levels.at(-1) ?? "")) return above;
  return [...above, file.replace(/\.(?:mbox|mbx)$/i, "")];
}

/** Levels of a Maildir: "X/.A.B" is the mailbox A/B of the Maildir++ X. */
export function maildirLevels(folder: readonly string[]): string[] {
  return folder.flatMap((l) =>
    l.startsWith(".") ? l.slice(1).split(".").filter((p) => p !== "") : [l]
  );
}

/** Names that programs give to the folder around all mail. */
const around = /^(?:maildir|mail|\.maildir|takeout|imapmail|local folders|profile|backup|export)$/i;

/**
 * The mailbox's name for each list of levels. What is above all of them is left out, and so is the name of a
 * Maildir++ or another folder around all mail; that one itself is the Inbox.
 */
export function mailboxNames(all: readonly (readonly string[])[]): Map<string, string> {
  const key = (levels: readonly string[]) => levels.join("/");
  let cut = 0;
  const shortest = Math.min(...all.map((l) => l.length));
  while (cut < shortest && all.every((l) => l[cut] === all[0][cut])) {
    const isMailbox = all.some((l) => l.length === cut + 1);
    // A single mailbox keeps its own name, unless that says nothing.
    if (isMailbox && !around.test(all[0][cut])) break;
    cut++;
  }
  const names = new Map<string, string>();
  for (const levels of all) {
    const rest = levels.slice(cut).map(cleanLevel).filter((l) => l !== "");
    if (/^inbox$/i.test(rest[0] ?? "")) rest[0] = "Inbox";
    names.set(key(levels), rest.length === 0 ? "Inbox" : rest.join("/"));
  }
  return names;
}

/** A level that may stand in a mailbox's name. */
function cleanLevel(level: string): string {
  // deno-lint-ignore no-control-regex
  const text = level.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f%*\\]/g, "_").trim();
  return text === "." || text === ".." ? "_" : text.replace(/^#+/, "").slice(0, 200);
}
