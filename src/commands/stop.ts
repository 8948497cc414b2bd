/** `mox stop`. @module */
import { callControl } from "../serve/control/control.ts";
import { type Command, parseFlags } from "./command.ts";
import { findDataDir } from "./datadir.ts";

export const stop: Command = {
  name: "stop",
  usage: "stop [-dir folder]",
  summary: "Stop the running server gracefully",
  help: `
Asks the running server to stop: connections are told, deliveries under way are finished, databases
closed. Returns when the server says that it is stopping.

  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "" });
    await callControl(await findDataDir(flags.dir), "stop");
  },
};
