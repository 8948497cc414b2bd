/** `mox backup` and `mox verifydata`. @module */
import { join, resolve } from "node:path";
import { Config } from "../config/mod.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStdout } from "../platform/stdio.ts";
import { becomeDataOwner } from "../serve/become_user.ts";
import { controlAnswers } from "../serve/control/control.ts";
import { giveLastBackup, noteBackup } from "../store/backup/last_backup.ts";
import { DataWatch } from "../store/backup/watch.ts";
import { verifyInWorker } from "../store/backup/worker.ts";
import { backupCommands } from "../serve/control/backup_command.ts";
import { Accounts } from "../store/account/accounts.ts";
import { Log } from "../log/mod.ts";
import { isRoot } from "../platform/users.ts";
import { adminCommand } from "./admin_call.ts";
import { notWritable, refusedPath } from "./handed_over.ts";
import { type Command, parseFlags } from "./command.ts";
import { findConfigPath } from "./datadir.ts";
import { backupToObjects } from "./objects.ts";

/** Milliseconds between two progress lines of a continuous copy. */
const tellEvery = 60_000;

const once = adminCommand({
  name: "backup",
  usage: "[-base folder] [-watch] destination | -objects file",
  summary: "Copy all data, while the server runs",
  help: `
Makes a consistent copy of the data folder in a new folder: every database as it is at one moment, and
all message files. On the same file system the files are linked, which takes no space; otherwise they are
copied. At the end the copy is checked as "mox verifydata" does. The search index is left out: it is made
anew. The files of the configuration, with keys, are in a folder beside it, with "-config" behind its name.

To restore: stop the server, put the copy in the place of the data folder, check it with
"mox verifydata", make it the server user's (chown -R), and start the server.

  -base   an earlier backup of the same data: files that it has are linked, not copied again
  -watch  keep the copy up to date until this command is ended: what was committed is in it well within
          a second. In a folder that it has kept before it goes on
  -objects  store everything in an object storage, encrypted, and add what comes until this command is
            ended. The file says where; docs/backup.md has its fields`,
  flags: { base: "", watch: false },
  min: 1,
  max: 1,
  toArgs: ([destination], { base }) => ({
    destination: resolve(destination),
    base: base === "" ? "" : resolve(base),
  }),
});

/**
 * If the running server can't write to the destination (its unit shows it other folders), a command run as root makes the
 * copy itself, next to the server: databases are read as of one moment.
 * @returns whether it did
 * @throws ControlError with what to do if this is not root
 */
async function ownProcess(args: string[]): Promise<boolean> {
  const { flags, args: [given] } = parseFlags(args, { dir: "", base: "", watch: false }, {
    min: 1,
    max: 1,
  });
  const config = await Config.load(await findConfigPath(flags.dir), { keyFiles: false });
  const { dataDir } = config;
  const destination = resolve(given);
  if (!await controlAnswers(dataDir)) return false;
  const why = await notWritable(dataDir, destination);
  if (why === "") return false;
  if (!isRoot()) throw refusedPath(destination, why, dataDir);
  const accounts = new Accounts(config.dataPath("accounts"), new Log("store"), () => undefined);
  const base = flags.base === "" ? "" : resolve(flags.base);
  try {
    await backupCommands.backup(
      { config, accounts, log: new Log("backup") },
      { destination, base },
      writeStdout,
    );
  } finally {
    giveLastBackup(dataDir);
  }
  return true;
}

/** Keeps a copy up to date until the process is told to stop. */
async function watch(args: string[]): Promise<void> {
  const { flags, args: [destination] } = parseFlags(args, { dir: "", base: "", watch: false }, {
    min: 1,
    max: 1,
  });
  if (flags.base !== "") throw new Error("-base is of no use with -watch");
  const config = await Config.load(await findConfigPath(flags.dir), { keyFiles: false });
  await becomeDataOwner(config.dataDir);
  const data = new DataWatch(config.dataDir, resolve(destination));
  const stop = new AbortController();
  const unlisten = onShutdown(() => stop.abort());
  let printed = -Infinity;
  const started = Date.now();
  const note = (text: string) =>
    noteBackup(config.dataDir, {
      destination: resolve(destination),
      started,
      ended: Date.now(),
      ok: true,
      text,
    });
  try {
    await data.run(stop.signal, (state) => {
      const now = Date.now();
      if (now - printed < tellEvery) return;
      if (printed === -Infinity) writeStdout("the copy is complete and is kept up to date\n");
      printed = now;
      // The record is useful but not essential: the copy continues without it.
      note("kept up to date by backup -watch").catch(() => {});
      writeStdout(
        `${
          new Date(now).toISOString()
        } ${state.databases} databases, ${state.messages} message files brought, ` +
          `${state.bytes} bytes of changes, the last look took ${Math.round(state.took)} ms\n`,
      );
    });
    await note("backup -watch has ended; the copy is as of then").catch(() => {});
    writeStdout("ended; the copy is as of now\n");
  } finally {
    unlisten();
  }
}

export const backup: Command = {
  ...once,
  async run(args) {
    if (args.some((a) => /^--?objects(?:=|$)/.test(a))) return await backupToObjects(args);
    if (args.includes("-watch")) return await watch(args);
    if (await ownProcess(args)) return;
    return await once.run(args);
  },
};

export const verifydata: Command = {
  name: "verifydata",
  usage: "verifydata [-fix] folder",
  summary: "Check a data folder, or a backup of one",
  help: `
Checks all databases of a data folder that no server uses, and the message files against them: damaged
databases, missing, additional, truncated and oversized files, wrong sizes and counts, uids given twice,
changes out of order, missing threading, junk training that does not fit the flags, and files of the
queue. Each finding names the database. Exit status 1 if there are any.

  -fix   set right counts and numbers, and move files that belong to no message aside`,
  async run(args) {
    const { flags, args: [dir] } = parseFlags(args, { fix: false }, { min: 1, max: 1 });
    const folder = resolve(dir);
    if (await controlAnswers(folder)) {
      throw new Error(`a server is running with ${folder}: verify a backup, or stop it first`);
    }
    Deno.statSync(join(folder, "accounts"));
    const faults = await verifyInWorker(folder, flags.fix, (path) => writeStdout(`${path}\n`));
    for (const f of faults) {
      writeStdout(`warning: ${f.path}: ${f.text}${f.fixed === undefined ? "" : ` - ${f.fixed}`}\n`);
    }
    const open = faults.filter((f) => f.fixed === undefined).length;
    writeStdout(
      faults.length === 0 ? "all is well\n" : `${faults.length} findings, ${open} of them open\n`,
    );
    return open === 0 ? 0 : 1;
  },
};
