/**
 * The subcommands: one table, one file each. main.ts passes the command line to {@link run}.
 *
 * @module
 */
import { restrictNewFiles } from "../platform/process.ts";
import { writeStderr, writeStdout } from "../platform/stdio.ts";
import { backup, verifydata } from "./backup.ts";
import { restore } from "./objects.ts";
import { checkupdate } from "./checkupdate.ts";
import { cid } from "./cid.ts";
import { clientconfig } from "./clientconfig.ts";
import { useNode } from "../config/mod.ts";
import { type Command, UsageError } from "./command.ts";
import { configDomainCommands } from "./config_domains.ts";
import { configDnsCommands } from "./config_dns.ts";
import { configKeyCommands } from "./config_keys.ts";
import { listCommands } from "./config_lists.ts";
import { configTlsKeyCommands } from "./config_tlspubkey.ts";
import { configEncryption } from "./config_encryption.ts";
import { configKeeping } from "./config_keeping.ts";
import { configTokenCommands } from "./config_tokens.ts";
import { configFileCommands } from "./config_files.ts";
import { useConfigPath } from "./datadir.ts";
import { isLevel, levels } from "../log/mod.ts";
import { useLogLevel, usePedantic } from "./global_flags.ts";
import { gentestdata } from "./gentestdata.ts";
import { groupHelp, help } from "./help.ts";
import { importGo } from "./import_go.ts";
import { licenses } from "./licenses.ts";
import { localserve } from "./localserve.ts";
import { loglevels } from "./loglevels.ts";
import { status } from "./status.ts";
import { maintenanceCommands } from "./maintenance.ts";
import { movingCommands } from "./moving.ts";
import { quickstart } from "./quickstart.ts";
import { nodeCommands } from "./node.ts";
import { queueCommands } from "./queue.ts";
import { reportsSend } from "./reports.ts";
import { receivingCommands } from "./receiving.ts";
import { sendmail } from "./sendmail.ts";
import { serve } from "./serve.ts";
import { setaccountpassword } from "./setaccountpassword.ts";
import { setadminpassword } from "./setadminpassword.ts";
import { sieveCommands } from "./sieve.ts";
import { standbyCommands } from "./standby.ts";
import { stop } from "./stop.ts";
import { transferCommands } from "./transfer.ts";
import { version } from "./version.ts";

/** All subcommands, in the order of the help. */
export const commands: readonly Command[] = [
  quickstart,
  serve,
  localserve,
  stop,
  setaccountpassword,
  setadminpassword,
  loglevels,
  status,
  ...configFileCommands,
  ...configDomainCommands,
  ...listCommands,
  ...configDnsCommands,
  ...configTlsKeyCommands,
  ...configTokenCommands,
  configEncryption,
  ...configKeeping,
  ...configKeyCommands,
  ...nodeCommands,
  ...standbyCommands,
  clientconfig,
  sendmail,
  cid,
  ...transferCommands,
  importGo,
  ...movingCommands,
  backup,
  restore,
  verifydata,
  gentestdata,
  ...maintenanceCommands,
  checkupdate,
  ...queueCommands,
  ...receivingCommands,
  ...sieveCommands,
  reportsSend,
  licenses,
  version,
];

/**
 * Removes the flags before the subcommand.
 * @throws UsageError
 */
function globalFlags(args: readonly string[]): readonly string[] {
  for (;;) {
    const m = /^--?(config|loglevel|node|pedantic)(?:=([\s\S]*))?$/.exec(args[0] ?? "");
    if (!m) return args;
    if (m[1] === "pedantic") {
      usePedantic(m[2] !== "false");
      args = args.slice(1);
      continue;
    }
    const value = m[2] ?? args[1];
    if (m[1] === "config") {
      if (!value) throw new UsageError("flag -config needs the path of mox.conf");
      useConfigPath(value);
    } else if (m[1] === "node") {
      if (!value) throw new UsageError("flag -node needs the name of one of Nodes");
      useNode(value);
    } else {
      if (!value || !isLevel(value)) {
        throw new UsageError(`flag -loglevel needs a level: ${levels.join(", ")}`);
      }
      useLogLevel(value);
    }
    args = args.slice(m[2] === undefined ? 2 : 1);
  }
}

/** Runs the command line; returns the exit status: 0 success, 1 failure, 2 wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    args = globalFlags(args);
  } catch (err) {
    writeStderr(`mox: ${describe(err)}\n`);
    return 2;
  }
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "-h" || name === "--help") {
    const text = help(commands, rest.join(" "));
    if (text === undefined) {
      writeStderr(`mox: no command "${rest.join(" ")}"; "mox help" lists them\n`);
      return 2;
    }
    writeStdout(text);
    return name === undefined ? 2 : 0;
  }
  // The longest matching name: "config test" before "config".
  const command = commands
    .filter((c) => [name, ...rest].slice(0, c.name.split(" ").length).join(" ") === c.name)
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!command) {
    // The first word of commands, such as "queue".
    const group = rest.length === 0 ? groupHelp(commands, name) : undefined;
    writeStderr(group ?? `mox: no command "${args.join(" ")}"; "mox help" lists them\n`);
    return 2;
  }
  const own = [name, ...rest].slice(command.name.split(" ").length);
  if (own.some((a) => a === "-h" || a === "-help" || a === "--help")) {
    writeStdout(help(commands, command.name)!);
    return 0;
  }
  try {
    // Keys, passwords and mail: no written file may be readable by others.
    restrictNewFiles();
    return await command.run(own) ?? 0;
  } catch (err) {
    if (err instanceof UsageError) {
      writeStderr(`mox ${command.name}: ${err.message}\nusage: mox ${command.usage}\n`);
      return 2;
    }
    writeStderr(`mox ${command.name}: ${describe(err)}\n`);
    return 1;
  }
}

function describe(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  let text = err.message;
  let cause = err.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth++) {
    if (!text.includes(cause.message)) text += `: ${cause.message}`;
    cause = cause.cause;
  }
  return text;
}
