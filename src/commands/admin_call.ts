/**
 * Commands of the administrator: run by the running server if there is one, otherwise in this process, with the
 * data folder locked so that no server starts meanwhile.
 *
 * @module
 */
import { AuditLog } from "../admin/mod.ts";
import { audited } from "../serve/control/audited.ts";
import { Config } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStdout } from "../platform/stdio.ts";
import { becomeDataOwner } from "../serve/become_user.ts";
import { runAdminCommand } from "../serve/control/admin_commands.ts";
import {
  callControl,
  controlAnswers,
  ControlError,
  ControlServer,
  type Json,
} from "../serve/control/control.ts";
import { accountRules } from "../serve/rules.ts";
import { Accounts } from "../store/account/accounts.ts";
import { type Command, type Flags, parseFlags } from "./command.ts";
import { findConfigPath } from "./datadir.ts";
import { handOver, type PathArguments } from "./handed_over.ts";

/** Runs the command for the selected server; its output goes to standard output. */
export async function adminCall(
  command: string,
  args: { [name: string]: Json },
  dir = "",
  paths?: PathArguments,
): Promise<Json> {
  const config = await Config.load(await findConfigPath(dir), { keyFiles: false });
  if (await controlAnswers(config.dataDir)) {
    if (!paths) return await callControl(config.dataDir, command, args, writeStdout);
    const handed = await handOver(config.dataDir, args, paths);
    try {
      const result = await callControl(config.dataDir, command, handed.args, writeStdout);
      await handed.finish();
      return result;
    } finally {
      await handed.clean();
    }
  }
  // Files created by root would not belong to the server.
  await becomeDataOwner(config.dataDir);
  await ensureDir(config.dataDir);
  const log = new Log("admin");
  const control = new ControlServer(config.dataDir, log);
  control.refuse(`"mox ${command}" is using the data folder: try again when it has ended`);
  await control.start();
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (name) => accountRules(config, name),
  );
  const audit = new AuditLog(config.dataDir);
  audit.follow(config);
  // An import undoes its changes; a second signal ends it immediately.
  const stop = new AbortController();
  const forget = command.startsWith("import ")
    ? onShutdown(() => {
      if (stop.signal.aborted) Deno.exit(1);
      stop.abort(new ControlError("it was broken off"));
    })
    : undefined;
  try {
    const context = { config, accounts, log };
    const run = () => runAdminCommand(context, command, args, writeStdout, stop.signal);
    const handlers = audited(audit, [[command, async () => await run()]]);
    return await handlers[0][1](args, writeStdout, stop.signal) ?? null;
  } finally {
    await audit.close();
    forget?.();
    await accounts.closeAll();
    await control.stop();
  }
}

/** A command that passes on its arguments. */
interface Simple<F extends Flags> {
  /** Its name, as typed and on the control socket. */
  name: string;
  /** Flags and arguments, after the name. */
  usage: string;
  summary: string;
  help: string;
  flags?: F;
  min?: number;
  max?: number;
  /** It changes domains.conf, and can show what it would change. */
  trial?: true;
  /** Arguments that are paths used by the server. */
  paths?: PathArguments;
  /** Arguments by name. */
  toArgs(
    args: string[],
    flags: { [K in keyof F]: F[K] extends boolean ? boolean : string },
  ): { [name: string]: Json } | Promise<{ [name: string]: Json }>;
  /** Exit status, from the command's result. */
  status?(result: Json): number;
}

/** Help for the common flag. */
const dirHelp = `
  -dir   folder of a localserve; default the server of mox.conf`;

const trialHelp = `
  -dryrun   check the change and print what it would change, without making it`;

/** Creates a command from the definition of its arguments. */
export function adminCommand<F extends Flags = Record<never, never>>(simple: Simple<F>): Command {
  return {
    name: simple.name,
    usage: `${simple.name} [-dir folder]${simple.trial ? " [-dryrun]" : ""}${
      simple.usage === "" ? "" : ` ${simple.usage}`
    }`,
    summary: simple.summary,
    help: `${simple.help.trim()}\n${dirHelp}${simple.trial ? trialHelp : ""}`,
    async run(args) {
      const known = { dir: "", ...simple.trial ? { dryrun: false } : {}, ...simple.flags };
      const parsed = parseFlags(args, known as F & { dir: string; dryrun?: boolean }, {
        min: simple.min,
        max: simple.max,
      });
      const flags = parsed.flags as Parameters<typeof simple.toArgs>[1] & {
        dir: string;
        dryrun?: boolean;
      };
      const given = await simple.toArgs(parsed.args, flags);
      const result = await adminCall(
        simple.name,
        flags.dryrun === true ? { ...given, dryRun: true } : given,
        flags.dir,
        simple.paths,
      );
      return simple.status?.(result);
    },
  };
}
