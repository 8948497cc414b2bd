/** `mox standby` and `mox promote`. @module */
import { Config } from "../config/mod.ts";
import { type Level, Log, setLevel, setLogFormat } from "../log/mod.ts";
import { hasRole, nextTerm, readRole, writeRole } from "../nodes/role.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStdout } from "../platform/stdio.ts";
import { becomeDataOwner, becomeUser, serviceUser } from "../serve/become_user.ts";
import { callControl, controlAnswers } from "../serve/control/control.ts";
import { ownSeat } from "../serve/nodes/seat.ts";
import { Standby } from "../serve/nodes/standby.ts";
import { type Command, parseFlags } from "./command.ts";
import { configPath, findDataDir, loadConfig } from "./datadir.ts";
import { globalFlags } from "./global_flags.ts";
import { serve } from "./serve.ts";

const standby: Command = {
  name: "standby",
  usage: "[-config path] standby",
  summary: "Follow a node's data on a second machine, to take its place",
  help: `
Keeps the data folder what the node's is, over TLS: what was committed there is here within a second. So is its
configuration, but for mox.conf. domains.conf has this machine as Standby of the node, and mox.conf here has
the same Node, and the addresses that this machine is to serve.

Runs until it is ended. With "mox promote" it ends, with status 0, and serves in the node's place when it is started
again, which a unit with Restart=always does at once: from then on "standby" is the same as "serve".`,
  async run(args) {
    parseFlags(args, {});
    const config = await Config.load(configPath(), { keyFiles: false });
    if ((await readRole(config.dataDir)).role === "serving" && await hasRole(config.dataDir)) {
      return await serve.run([]);
    }
    setLevel("", globalFlags().level ?? config.static.LogLevel as Level);
    if (config.static.LogFormat === "json") setLogFormat("json");
    const log = new Log("standby");
    const user = await serviceUser(config);
    await becomeUser(config, user, log);
    const running = await Standby.start(config, log);
    const unwatch = config.watch();
    const unlisten = onShutdown((signal) => {
      log.info("asked to stop", { signal });
      void running.stop();
    });
    log.info("mox is a standby", { config: config.staticPath, data: config.dataDir });
    const end = await running.done;
    unlisten();
    unwatch();
    if (end === "promoted") log.info("this one serves when it is started again");
  },
};

const time = (ms: number) => new Date(ms).toISOString();

const promote: Command = {
  name: "promote",
  usage: "[-config path] promote [-force]",
  summary: "Have a standby take its node's place",
  help: `
Run at the standby. It asks the node to stop and to send its last changes, so nothing is lost; then the standby
serves, and the node refuses to from then on.

  -force   take its place also if the node can't be asked. What it had taken within the last second and not
           sent is lost here. When it comes back it asks first, and refuses to serve; where it still runs, cut
           off from the standby, it serves on until it can ask: stop it if you can.

At a node that does not start because its standby can't be asked, or has taken its place, -force has it serve
again. Only do that where the other is stopped for good.`,
  async run(args) {
    const { flags: { force } } = parseFlags(args, { force: false });
    const dataDir = await findDataDir("");
    if (await controlAnswers(dataDir)) {
      const done = await callControl(dataDir, "promote", { force }) as unknown as {
        term: number;
        handedOver: boolean;
        upToDate: number;
      };
      writeStdout(
        done.handedOver
          ? `the node has handed over everything, and this one serves now (term ${done.term})\n`
          : `this one serves now (term ${done.term}), with what the node had at ${
            time(done.upToDate)
          } by its clock\n`,
      );
      return;
    }
    const config = await loadConfig();
    const role = await readRole(dataDir);
    if (role.role === "serving" && !role.armed) {
      throw new Error(`${dataDir} serves already: start it with "mox serve"`);
    }
    if (role.role === "standby" && role.upToDate === 0) {
      throw new Error("the copy has never been whole, so it can't serve");
    }
    if (!force) {
      throw new Error(
        `no mox runs with ${dataDir}, so the other place can't be asked to stop: start "mox standby" first, or ` +
          `use -force if the other is stopped for good`,
      );
    }
    await becomeDataOwner(dataDir);
    const term = nextTerm(role.term, await ownSeat(config));
    await writeRole(dataDir, { role: "serving", term, armed: false, upToDate: 0 });
    writeStdout(`this one serves from its next start on (term ${term})\n`);
  },
};

export const standbyCommands: readonly Command[] = [standby, promote];
