/** `mox status`. @module */
import type { HealthCheck, HealthState } from "../admin/mod.ts";
import { writeStderr, writeStdout } from "../platform/stdio.ts";
import { callControl, ControlError } from "../serve/control/control.ts";
import { type Command, parseFlags } from "./command.ts";
import { findDataDir } from "./datadir.ts";

/** The server's answer. */
interface Status {
  version: string;
  hostname: string;
  /** The node it follows, if it is a standby. */
  standbyOf?: string;
  started: number;
  state: HealthState;
  checks: HealthCheck[];
}

const exits: Record<HealthState, number> = { ok: 0, warning: 1, critical: 2 };
const noServer = 3;

export const status: Command = {
  name: "status",
  usage: "status [-dir folder] [-json] [-quiet]",
  summary: "Show whether the running server is well",
  help: `
Prints what an administrator should look at, the worst first: disk, queue, certificates, scanners, the standby, the last
backup, unhandled errors, block lists; of a standby whether it follows its node, and as of when it has a copy. Exit status, as programs that watch expect it: 0 all is well, 1 something is worth a look, 2 something
is wrong, 3 no server answers.

  -json    as JSON
  -quiet   only what is not well
  -dir     folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", json: false, quiet: false });
    const dir = await findDataDir(flags.dir);
    let s: Status;
    try {
      s = await callControl(dir, "status") as unknown as Status;
    } catch (err) {
      if (!(err instanceof ControlError)) throw err;
      writeStderr(`mox status: ${err.message}\n`);
      return noServer;
    }
    if (flags.json) writeStdout(`${JSON.stringify(s, undefined, 2)}\n`);
    else {
      if (!flags.quiet) {
        const since = new Date(s.started).toISOString().slice(0, 16).replace("T", " ");
        const role = s.standbyOf === undefined ? "" : `, standby of ${s.standbyOf}`;
        writeStdout(`${s.state}: mox ${s.version} on ${s.hostname}${role}, since ${since} UTC\n`);
      }
      for (const c of s.checks) {
        if (!flags.quiet || c.state !== "ok") writeStdout(`${c.state}: ${c.name}: ${c.text}\n`);
      }
    }
    return exits[s.state];
  },
};
