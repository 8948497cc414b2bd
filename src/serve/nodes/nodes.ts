/**
 * This server as one of several nodes: what it passes on to the others, and what it does for them.
 *
 * @module
 */
import type { Config, Listener } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import type { AuthService } from "../../metrics/authentication.ts";
import { CallError, type CallHandler, serveCalls } from "../../nodes/calls.ts";
import { type NodeKey, openNodeKey } from "../../nodes/key.ts";
import { atStandby, serveNodeLinks } from "../../nodes/link.ts";
import type { SocketConnection } from "../../net/mod.ts";
import type { ControlHandler, Json } from "../control/control.ts";
import type { SmtpServerOptions } from "../../smtp/server/mod.ts";
import { Passing } from "../receiving/passing.ts";
import type { Receiving } from "../receiving/receiving.ts";
import { MailLinks } from "../../nodes/pass_on.ts";
import { WebLinks } from "../../nodes/web_link.ts";
import { type PassedWebOptions, servePassedWeb } from "./web_elsewhere.ts";
import { infoCall, nodesForAdmin } from "./overview.ts";
import type { HealthState } from "../../admin/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type { NodesForAdmin } from "../../web/admin/mod.ts";
import { ConfigSync } from "./config_sync.ts";
import type { LoginCheck } from "./login_check.ts";
import { Arrivals } from "./arrivals.ts";
import { Departures } from "./departures.ts";
import { moveCommands } from "./move_commands.ts";
import type { OpenLogins } from "../open_logins.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { servePassedMail } from "./passed_mail.ts";
import { peerWith, placeOfSeat } from "./seat.ts";
import { Succession } from "./succession.ts";

/** Milliseconds to wait for a newer domains.conf from other nodes when this one starts. */
const pullPatience = 5_000;
/** Milliseconds until a standby's connection is dropped when the server stops. */
const lastGrace = 30_000;

export interface NodeOptions {
  config: Config;
  accounts: Accounts;
  tempDir: string;
  queue: Queue;
  /** The most serious of the problems. */
  health: () => Promise<HealthState>;
  receiving: Receiving;
  openLogins: OpenLogins;
  /** Caches to clear after an account has arrived from another node. */
  accountCame: (account: string) => void;
  checkLogin: LoginCheck;
  /** See {@link PassedWebOptions}. */
  webHandlers: PassedWebOptions["handlers"];
  /** Stops the server: its standby has taken its place. */
  stop: () => void;
}

/** This server as a node. */
export interface RunningNode {
  key: NodeKey;
  passing: Passing;
  /** For the admin page. */
  overview: NodesForAdmin;
  /** Passes on requests of web pages and services. */
  web: WebLinks;
  /** Passes on messages. */
  mail: MailLinks;
  /** Commands that come over the control socket. */
  commands: [string, ControlHandler][];
  /** Fetches what was pushed while this node was away, now and periodically. */
  start(): void;
  /** Whether the node has a standby, and whether it follows. */
  standby(): "none" | "follows" | "away";
  /** Pushes domains.conf to the other nodes. @throws Error if one of them doesn't accept it */
  push(): Promise<void>;
  /** Accepts nothing more from other nodes; work in progress gets this many milliseconds. */
  quiesce(graceMs: number): Promise<void>;
  /** Called after everything else is closed: the standby gets the last changes. */
  finish(): Promise<void>;
}

/**
 * Opens the node's key and listens for the other nodes; undefined where there are no nodes.
 * @throws ListenError; Error if the key differs from the one in domains.conf; NotServing if its standby has, or may
 * have, taken its place
 */
export async function openNodes(options: NodeOptions): Promise<RunningNode | undefined> {
  const { config } = options;
  const name = config.static.Node;
  const self = config.dynamic.Nodes.get(name);
  if (self === undefined) return undefined;
  const log = new Log("node");
  const key = await openNodeKey(config.dataDir);
  if (key.hash !== self.Key) {
    throw new Error(
      `the key of node ${name} is ${key.hash}, but ${config.dynamicPath} has ${self.Key} for it: ` +
        `put the first one there, on all nodes`,
    );
  }
  const succession = await Succession.open({ config, key, log, stop: options.stop });
  const place = placeOfSeat(self, succession.seat);
  if (succession.seat === "standby") atStandby(name);
  const sync = new ConfigSync(config, key, log);
  const { accounts, openLogins } = options;
  const arrivals = await Arrivals.open({
    ...{ config, accounts, log },
    pull: () => sync.pull(),
    taken: options.accountCame,
  });
  const departures = await Departures.open({
    ...{ config, accounts, key, log, sync },
    openLogins: () => openLogins,
  });
  const overview = {
    ...{ config, key, queue: options.queue, sync, departures, health: options.health },
    standby: () => succession.state,
  };
  // An account may have moved to another node since this one's data was last in use.
  await Promise.race([sync.pull(), new Promise((resolve) => setTimeout(resolve, pullPatience))]);
  const calls = new Map<string, CallHandler>([
    ["login", loginCall(config, options.checkLogin)],
    infoCall(overview),
    ...arrivals.calls,
    ...sync.calls,
    ...succession.calls,
  ]);
  const forStandby = succession.calls;
  const open = new Set<{ conn: SocketConnection; done: Promise<void> }>();
  /** Connections of all but standbys, whose connection ends last. */
  const counted = async (conn: SocketConnection, serve: Promise<void>) => {
    const entry = { conn, done: serve.catch(() => {}) };
    open.add(entry);
    try {
      await serve;
    } finally {
      open.delete(entry);
    }
  };
  const stopping = new AbortController();
  const web = new WebLinks(key);
  const mail = new MailLinks(key);
  const server = await serveNodeLinks({
    address: place.Address,
    port: place.Port,
    key,
    log,
    peerWith: (hash) => peerWith(config, hash),
    serve: {
      lmtp: async (conn, peer) => {
        if (peer.standby) return log.warn("a standby sends mail", { node: peer.node });
        await counted(conn, servePassedMail(conn, lmtpOptions(options, log)));
      },
      call: (conn, peer) =>
        counted(conn, serveCalls(conn, peer, peer.standby ? forStandby : calls)),
      follow: (conn, peer) => succession.follow(conn, peer),
      http: async (conn, peer) => {
        if (peer.standby) return log.warn("a standby asks for pages", { node: peer.node });
        const { signal } = stopping;
        const passed = { log: new Log("web"), handlers: options.webHandlers, stopping: signal };
        await counted(conn, servePassedWeb(passed, conn, peer));
      },
      move: async (conn, peer) => {
        if (peer.standby) return log.warn("a standby sends an account", { node: peer.node });
        await counted(conn, arrivals.receive(conn, peer));
      },
    },
  });
  log.info("node is reachable", { node: name, address: place.Address, port: server.port });
  let closed: Promise<void> | undefined;
  return {
    key,
    web,
    mail,
    overview: nodesForAdmin(overview),
    passing: new Passing({
      config,
      links: mail,
      later: (...a) => options.receiving.queueForNode(...a),
    }),
    push: async () => {
      const failed = (await sync.push()).filter((s) => s.error !== undefined);
      if (failed.length === 0) return;
      throw new Error(failed.map(({ node, error }) => `${node}: ${error}`).join("\n"));
    },
    commands: [
      ["node push", async (args) => {
        const { force } = (args ?? {}) as Record<string, Json>;
        return await sync.push(force === true) as unknown as Json;
      }],
      ["node list", async () => await sync.states() as unknown as Json],
      ...moveCommands(departures, arrivals),
    ],
    start: () => {
      sync.start();
      succession.start();
      departures.start();
    },
    standby: () => succession.state,
    async quiesce(graceMs) {
      sync.stop();
      stopping.abort();
      web.close();
      mail.close();
      await departures.quiesce();
      succession.quiesce();
      closed = server.shutdown(lastGrace);
      const timer = setTimeout(() => open.forEach(({ conn }) => conn.destroy()), graceMs);
      await Promise.all([...open].map(({ done }) => done));
      clearTimeout(timer);
    },
    async finish() {
      await succession.finish();
      await closed;
    },
  };
}

/** The listener whose rules apply to mail received by another node. */
function mailListener(config: Config): Listener {
  const all = [...config.static.Listeners.values()];
  return all.find((l) => l.SMTP.Enabled) ?? all[0];
}

function lmtpOptions(options: NodeOptions, log: Log): SmtpServerOptions {
  const l = mailListener(options.config);
  return {
    hostname: l.Hostname || options.config.static.Hostname,
    log,
    backend: options.receiving.backend(l),
    tmpDir: options.tempDir,
    lmtp: true,
    limits: l.SMTPMaxMessageSize > 0 ? { size: l.SMTPMaxMessageSize } : undefined,
    noRequireTls: l.SMTP.NoRequireTLS,
  };
}

/** A login at another node, by auth_http there. */
function loginCall(config: Config, check: LoginCheck): CallHandler {
  return async (args) => {
    const { service, login, remoteIp, password, certificate } = args;
    const words = [service, login, remoteIp, password];
    if (!words.every((w) => typeof w === "string")) throw new CallError("login: words expected");
    const account = config.accountFor(login as string);
    // It has just moved to another node, and the asking node does not know yet.
    if (account !== undefined && !config.isHere(account)) {
      throw new CallError(`the account of ${login} is at another node`);
    }
    return await check({
      service: service as AuthService,
      login: login as string,
      remoteIp: remoteIp as string,
      password: password as string,
      certificate: typeof certificate === "string" ? Uint8Array.fromBase64(certificate) : undefined,
    });
  };
}
