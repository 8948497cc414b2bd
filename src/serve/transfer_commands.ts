/** Import and export of mail, as commands of the administrator. @module */
import { join } from "node:path";
import { ensureDir, removeFile } from "../platform/files.ts";
import { isSafeRelative } from "../platform/paths.ts";
import type { Account } from "../store/account.ts";
import { exportedMessages, maildirKeywords, maildirName, mboxPieces } from "../store/export.ts";
import { importMessages } from "../store/import/import.ts";
import { maildirSource, mboxSource, type Source } from "../store/import/sources.ts";
import type { AdminCommand, AdminContext, Arguments } from "./admin_commands.ts";
import { ControlError } from "./control.ts";

type Print = (text: string) => void;

async function withAccount<T>(
  { config, accounts }: AdminContext,
  args: Arguments,
  fn: (a: Account) => Promise<T>,
): Promise<T> {
  const name = String(args.account);
  if (!config.account(name)) throw new ControlError(`no account ${name}`);
  const account = await accounts.open(name);
  try {
    return await fn(account);
  } finally {
    account.close();
  }
}

/** Every so many messages a line is printed. */
const tellEvery = 1000;

async function importFrom(
  c: AdminContext,
  args: Arguments,
  print: Print,
  source: (path: string) => Source,
): Promise<void> {
  const tempDir = c.config.dataPath("tmp");
  await ensureDir(tempDir);
  await withAccount(c, args, async (account) => {
    let told = 0;
    try {
      const r = await importMessages(account, source(String(args.source)), {
        mailbox: String(args.mailbox),
        tempDir,
        skipDuplicates: args.skipDuplicates === true,
        progress: (p) => {
          if (p.imported - told < tellEvery) return;
          told = p.imported;
          print(`${p.imported} messages\n`);
        },
      });
      for (const w of r.warnings) print(`warning: ${w}\n`);
      for (const [name, count] of r.mailboxes) print(`${name}: ${count} messages\n`);
      const left = r.duplicates > 0 ? `, ${r.duplicates} were there already` : "";
      print(`${r.imported} messages imported${left}, ${r.warnings.length} warnings\n`);
    } catch (err) {
      throw new ControlError(
        `${err instanceof Error ? err.message : err}; nothing was imported`,
        { cause: err },
      );
    }
  });
}

/** Path of a mailbox's files; names that can't be files are refused. */
function target(folder: string, mailbox: string): string {
  if (!isSafeRelative(mailbox)) {
    throw new ControlError(`mailbox ${mailbox} can't be the name of a file here: rename it first`);
  }
  return join(folder, mailbox);
}

/** Mailboxes to export: the one that is named with those below it, or all. */
function chosen(account: Account, name: string): { id: number; name: string }[] {
  const all = account.mailboxes();
  if (name === "") return all;
  const found = all.filter((m) => m.name === name || m.name.startsWith(`${name}/`));
  if (found.length === 0) throw new ControlError(`no mailbox ${name}`);
  return found;
}

async function writeAll(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    for await (const p of pieces) {
      for (let at = 0; at < p.length;) at += await file.write(p.subarray(at));
    }
    await file.sync();
  } catch (err) {
    removeFile(path);
    throw err;
  }
}

async function exportMbox(account: Account, folder: string, name: string, print: Print) {
  for (const m of chosen(account, name)) {
    const path = `${target(folder, m.name)}.mbox`;
    await ensureDir(join(path, ".."));
    let count = 0;
    const all = async function* () {
      for (const message of exportedMessages(account, m.id)) {
        yield* mboxPieces(account, message);
        count++;
      }
    };
    await writeAll(path, all());
    print(`${path}: ${count} messages\n`);
  }
}

async function exportMaildir(account: Account, folder: string, name: string, print: Print) {
  for (const m of chosen(account, name)) {
    const path = target(folder, m.name);
    for (const sub of ["cur", "new", "tmp"]) await ensureDir(join(path, sub));
    const letters = new Map<string, string>();
    let count = 0;
    for (const message of exportedMessages(account, m.id)) {
      let own = "";
      for (const k of maildirKeywords(message)) {
        // There are letters for 26 keywords.
        if (!letters.has(k) && letters.size < 26) {
          letters.set(k, String.fromCharCode(97 + letters.size));
        }
        own += letters.get(k) ?? "";
      }
      const file = join(path, "cur", maildirName(message, [...own].sort().join("")));
      await writeAll(file, message.pieces());
      await Deno.utime(file, message.received / 1000, message.received / 1000);
      count++;
    }
    if (letters.size > 0) {
      const lines = [...letters.keys()].map((k, i) => `${i} ${k}\n`).join("");
      await writeAll(join(path, "dovecot-keywords"), [new TextEncoder().encode(lines)]);
    }
    print(`${path}: ${count} messages\n`);
  }
}

export const transferCommands: Record<string, AdminCommand> = {
  "import mbox": (c, args, print) => importFrom(c, args, print, mboxSource),
  "import maildir": (c, args, print) => importFrom(c, args, print, maildirSource),
  "export mbox": (c, args, print) =>
    withAccount(
      c,
      args,
      (a) => exportMbox(a, String(args.folder), String(args.mailbox ?? ""), print),
    ),
  "export maildir": (c, args, print) =>
    withAccount(
      c,
      args,
      (a) => exportMaildir(a, String(args.folder), String(args.mailbox ?? ""), print),
    ),
};
