/** `mox clientconfig`. @module */
import { clientServices } from "../admin/mod.ts";
import { Config } from "../config/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags } from "./command.ts";
import { findConfigPath } from "./datadir.ts";

export const clientconfig: Command = {
  name: "clientconfig",
  usage: "clientconfig [-dir folder] domain",
  summary: "Print the settings for users' mail programs",
  help: `
Prints how mail programs connect for addresses of the domain: protocol, host, port and TLS. The login name
is the address.

  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags, args: [domain] } = parseFlags(args, { dir: "" }, { min: 1 });
    const config = await Config.load(await findConfigPath(flags.dir), { keyFiles: false });
    for (const s of clientServices(config, domain)) {
      const security = s.security === "none" ? "without TLS" : s.security;
      writeStdout(`${s.protocol.padEnd(10)} ${s.host} ${s.port} ${security} (${s.listener})\n`);
    }
  },
};
