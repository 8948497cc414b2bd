/** `mox import` and `mox export`. @module */
import { resolve } from "node:path";
import { stdoutIsTerminal } from "../platform/stdio.ts";
import { adminCommand } from "./admin_call.ts";
import type { Command } from "./command.ts";

const importHelp = `
Flags, keywords and dates are kept; line ends are set right. Messages go into the mailbox, which is made
if it is missing, and those of folders into mailboxes below it. With "" as the mailbox they go to those at
the top. A zip, tar or tgz archive is taken too, and what "mox export" wrote. The account can be used
meanwhile; if the import fails or is broken off, what it has brought is taken away again. Files that
the running server can't read (its unit hides homes and /tmp) are handed over to it if root runs the command.

  -skipduplicates  leave out messages that are in the mailbox already, by Message-ID or size and date`;

function importCommand(kind: "mbox" | "maildir", what: string, more: string): Command {
  return adminCommand({
    name: `import ${kind}`,
    usage: `[-skipduplicates] account mailbox ${what}`,
    summary: kind === "mbox"
      ? "Take over the messages of a mailbox file"
      : "Take over the messages of a Maildir",
    help: `${more}${importHelp}`,
    flags: { skipduplicates: false },
    min: 3,
    max: 3,
    paths: { read: "source" },
    toArgs: ([account, mailbox, source], { skipduplicates }) => ({
      account,
      mailbox,
      source: resolve(source),
      skipDuplicates: skipduplicates,
      bar: stdoutIsTerminal(),
    }),
  });
}

function exportCommand(kind: "mbox" | "maildir", what: string): Command {
  return adminCommand({
    name: `export ${kind}`,
    usage: "[-single] account folder [mailbox]",
    summary: `Write mailboxes as ${what}`,
    help: `
Writes all mailboxes of an account, or the one that is named with those below it, as ${what} in the folder.
Flags, keywords and dates are kept; "mox import ${kind} account '' folder" reads them again, also names of
mailboxes that can't be names of files. Files that are there are not overwritten.

  -single  just the mailbox that is named, without those below it`,
    flags: { single: false },
    min: 2,
    max: 3,
    paths: { write: "folder" },
    toArgs: ([account, folder, mailbox], { single }) => ({
      single,
      account,
      folder: resolve(folder),
      mailbox: mailbox ?? "",
      bar: stdoutIsTerminal(),
    }),
  });
}

export const transferCommands: readonly Command[] = [
  importCommand(
    "mbox",
    "file|folder|archive",
    `
Imports a mailbox file (mbox) or a folder of them, as Thunderbird, mutt, Apple Mail, Gmail Takeout and others write it.
Flags are those of Status, X-Status, X-Keywords and X-Mozilla-Status; with "" as the mailbox Gmail's labels
say where messages go.`,
  ),
  importCommand(
    "maildir",
    "folder|archive",
    `
Imports a Maildir, with the mailboxes below it (Maildir++ or plain folders), as Dovecot, Courier and
others keep it. Flags are those of the files' names, keywords those of Dovecot's list.`,
  ),
  exportCommand("mbox", "mailbox files"),
  exportCommand("maildir", "Maildirs"),
];
