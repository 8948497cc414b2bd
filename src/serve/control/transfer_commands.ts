/** Import and export of mail, as commands of the administrator. @module */
import { join } from "node:path";
import { ensureDir, removeFile, writeAll } from "../../platform/files.ts";
import { maildirSeparator, toOsPath } from "../../platform/paths.ts";
import type { Account } from "../../store/account/account.ts";
import { exportFiles, type ExportFormat } from "../../store/export/export.ts";
import { importMessages, partDone } from "../../store/import/import.ts";
import { pathSource } from "../../store/import/path.ts";
import type { Mailbox } from "../../store/types.ts";
import type { AdminCommand, AdminContext, Arguments } from "./admin_command.ts";
import { ControlError } from "./control.ts";

type Print = (text: string) => void;

async function withAccount<T>(
  { config, accounts }: AdminContext,
  args: Arguments,
  fn: (account: Account) => Promise<T>,
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

/** Messages between two printed lines, where there is no progress bar. */
const tellEvery = 1000;
const barWidth = 30;

/** Prints progress, on a terminal in a line that overwrites itself. */
function teller(args: Arguments, print: Print) {
  let printed = 0;
  let shown = "";
  return {
    tell(messages: number, part: number | undefined): void {
      if (args.bar !== true) {
        if (messages - printed < tellEvery) return;
        printed = messages;
        print(`${messages} messages\n`);
        return;
      }
      const done = Math.round(Math.min(1, part ?? 0) * barWidth);
      const line = part === undefined
        ? `${messages} messages`
        : `[${"#".repeat(done)}${" ".repeat(barWidth - done)}] ${
          String(Math.floor(Math.min(1, part) * 100)).padStart(3)
        }%  ${messages} messages`;
      if (line !== shown) print(`\r${line}`);
      shown = line;
    },
    end(): void {
      if (shown !== "") print(`\r${" ".repeat(shown.length)}\r`);
      shown = "";
    },
  };
}

async function importFrom(
  context: AdminContext,
  args: Arguments,
  print: Print,
  signal?: AbortSignal,
): Promise<void> {
  const tempDir = context.config.dataPath("tmp");
  await ensureDir(tempDir);
  await withAccount(context, args, async (account) => {
    const bar = teller(args, print);
    try {
      const mailbox = String(args.mailbox);
      const { source, bytes } = await pathSource(String(args.source), mailbox, { signal });
      const r = await importMessages(account, source, {
        mailbox,
        tempDir,
        skipDuplicates: args.skipDuplicates === true,
        signal,
        progress: (p) => bar.tell(p.imported, bytes > 0 ? partDone(p, bytes) : undefined),
      });
      bar.end();
      for (const w of r.warnings) print(`warning: ${w}\n`);
      for (const [name, count] of r.mailboxes) print(`${name}: ${count} messages\n`);
      const left = r.duplicates > 0 ? `, ${r.duplicates} were there already` : "";
      print(`${r.imported} messages imported${left}, ${r.warningCount} warnings\n`);
    } catch (err) {
      bar.end();
      throw new ControlError(
        `${err instanceof Error ? err.message : err}; nothing was imported`,
        { cause: err },
      );
    }
  });
}

/** Mailboxes to export: the named one with those below it, or all. */
function chosen(account: Account, name: string, single: boolean): Mailbox[] {
  const all = account.mailboxes();
  if (name === "") return all;
  const found = all.filter((m) => m.name === name || (!single && m.name.startsWith(`${name}/`)));
  if (found.length === 0) throw new ControlError(`no mailbox ${name}`);
  return found;
}

async function writeFile(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    for await (const p of pieces) await writeAll(file, p);
  } catch (err) {
    removeFile(path);
    throw err;
  }
}

async function exportTo(
  account: Account,
  format: ExportFormat,
  args: Arguments,
  print: Print,
): Promise<void> {
  const folder = String(args.folder);
  const mailboxes = chosen(account, String(args.mailbox ?? ""), args.single === true);
  const total = mailboxes.reduce((n, m) => n + m.size, 0);
  const counts = new Map(mailboxes.map((m) => [m.name, 0]));
  const bar = teller(args, print);
  let messages = 0;
  let bytes = 0;
  const damaged: string[] = [];
  const files = exportFiles(account, mailboxes, format, {
    damaged: (text) => void damaged.push(text),
    separator: maildirSeparator(),
    progress(mailbox, size) {
      counts.set(mailbox, counts.get(mailbox)! + 1);
      bytes += size;
      bar.tell(++messages, total > 0 ? bytes / total : undefined);
    },
  });
  try {
    for await (const f of files) {
      const path = join(folder, toOsPath(f.name));
      if (f.name.endsWith("/")) {
        await ensureDir(path);
        continue;
      }
      if (f.modified === undefined) await ensureDir(join(path, ".."));
      await writeFile(path, f.pieces);
      if (f.modified !== undefined) await Deno.utime(path, f.modified / 1000, f.modified / 1000);
    }
  } finally {
    bar.end();
  }
  for (const [name, count] of counts) print(`${name}: ${count} messages\n`);
  print(`${messages} messages exported\n`);
  if (damaged.length > 0) {
    throw new ControlError(
      `${damaged.join("\n")}\nAll others were exported; "mox verifydata" tells more.`,
    );
  }
}

export const transferCommands: Record<string, AdminCommand> = {
  "import mbox": importFrom,
  "import maildir": importFrom,
  "export mbox": (c, args, print) => withAccount(c, args, (a) => exportTo(a, "mbox", args, print)),
  "export maildir": (c, args, print) =>
    withAccount(c, args, (a) => exportTo(a, "maildir", args, print)),
};
