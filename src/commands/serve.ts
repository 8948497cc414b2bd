/** `mox serve`. @module */
import { Config, formatProblem } from "../config/mod.ts";
import { type Level, Log, setLevel, setLogFormat } from "../log/mod.ts";
import { hostPort, ListenError } from "../platform/net.ts";
import { exitProcess } from "../platform/process.ts";
import { onShutdown } from "../platform/signals.ts";
import { currentUid } from "../platform/users.ts";
import { becomeUser, serviceUser } from "../serve/become_user.ts";
import { MailServer, shownProtocol } from "../serve/server.ts";
import { globalFlags } from "./global_flags.ts";
import { type Command, parseFlags } from "./command.ts";
import { configPath } from "./datadir.ts";
import { loadForNodes, nodesToServe, serveNodes } from "./serve_nodes.ts";

export const serve: Command = {
  name: "serve",
  usage: "[-config path] [-node name] serve [-nodes n]",
  summary: "Run the mail server",
  help: `
Starts the server with the configuration in config/mox.conf, in the file that -config (before the
subcommand) or the environment variable MOXCONF names, and the domains.conf beside it. Changes of
domains.conf take effect within a second; changes of mox.conf at the next start.

On Linux start it as root: it listens on all its ports, reads private keys, gives configuration and data
to the user that User in mox.conf names (default "mox"; a numeric uid will do), unless NoFixPermissions is
set, and becomes that user for good before the first byte from the network is read. Or start it as that
user with the capability CAP_NET_BIND_SERVICE, as the systemd unit of "mox config printservice" does. On
Windows and macOS any user may listen on low ports.

With -node, it is that one of several nodes on this machine which share both files: its data is in a folder of its
name in DataDir, listeners with TrustedProxies are at the node's Address, and all other listeners are the first node's.
With -nodes, starts the first n of Nodes like that, each a process, and starts those again that end (docs/scaling.md);
the runtime needs --allow-run for it.

SIGTERM, SIGINT and "mox stop" end it gracefully: connections are told, deliveries under way finished,
databases closed. A second signal ends it at once.`,
  async run(args) {
    const { flags } = parseFlags(args, { nodes: "" });
    if (flags.nodes !== "") {
      const config = await loadForNodes(configPath());
      return await serveNodes(config, nodesToServe(config, flags.nodes));
    }
    const config = await Config.load(configPath());
    const given = globalFlags();
    if (given.pedantic) config.static.Pedantic = true;
    setLevel("", given.level ?? config.static.LogLevel as Level);
    if (config.static.LogFormat === "json") setLogFormat("json");
    for (const [pkg, level] of config.static.PackageLogLevels) setLevel(pkg, level as Level);
    const log = new Log("serve");
    for (const w of config.warnings) log.warn(formatProblem(w));
    const user = await serviceUser(config);
    const server = await MailServer.start({
      config,
      local: false,
      becomeUser: () => becomeUser(config, user, log),
    }).catch((err) => {
      throw err instanceof ListenError && err.reason === "not-permitted"
        ? new Error(notPermitted(err, config.static.User), { cause: err })
        : err;
    });
    let asked = false;
    const stopListening = onShutdown((signal) => {
      if (asked) exitProcess(1);
      asked = true;
      log.info("asked to stop", { signal });
      server.stop();
    });
    for (const e of server.endpoints) {
      log.info("listening", { service: shownProtocol(e), address: hostPort(e.hostname, e.port) });
    }
    log.info("mox is running", { config: config.staticPath, data: config.dataDir });
    await server.stopped;
    stopListening();
  },
};

/** What to do if low ports can't be bound, for the user who started the server. */
function notPermitted(err: ListenError, user: string): string {
  return `uid ${currentUid()} may not listen on ${
    hostPort(err.hostname, err.port)
  }: start the server as ` +
    `root, and it becomes the user ${
      JSON.stringify(user)
    } of mox.conf by itself; or as that user with the ` +
    `capability CAP_NET_BIND_SERVICE, as the systemd unit of "mox config printservice" does`;
}
