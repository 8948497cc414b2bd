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
import { serveNodeLinks } from "../../nodes/link.ts";
import type { ControlHandler, Json } from "../control/control.ts";
import { serveSmtpConnection, type SmtpServerOptions } from "../../smtp/server/mod.ts";
import { Passing } from "../receiving/passing.ts";
import type { Receiving } from "../receiving/receiving.ts";
import { ConfigSync } from "./config_sync.ts";
import type { LoginCheck } from "./login_check.ts";

export interface NodeOptions {
  config: Config;
  tempDir: string;
  receiving: Receiving;
  checkLogin: LoginCheck;
}

/** This server as a node. */
export interface RunningNode {
  key: NodeKey;
  passing: Passing;
  /** Commands that come over the control socket. */
  commands: [string, ControlHandler][];
  /** Fetches what was pushed while this node was away, now and from time to time. */
  start(): void;
  /** Takes nothing more from other nodes; what is under way has so many milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens the node's key and listens for the other nodes; undefined where there are no nodes.
 * @throws ListenError; Error for a key that is not the one in domains.conf
 */
export async function openNodes(o: NodeOptions): Promise<RunningNode | undefined> {
  const { config } = o;
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
  const sync = new ConfigSync(config, key, log);
  const calls = new Map<string, CallHandler>([
    ["login", loginCall(o.checkLogin)],
    ...sync.calls,
  ]);
  const server = await serveNodeLinks({
    address: self.Address,
    port: self.Port,
    key,
    log,
    nodeWith: (hash) => {
      for (const [other, n] of config.dynamic.Nodes) if (n.Key === hash) return other;
      return undefined;
    },
    serve: {
      lmtp: (conn) => serveSmtpConnection(conn, lmtpOptions(o, log)),
      call: (conn, node) => serveCalls(conn, node, calls),
    },
  });
  log.info("node is reachable", { node: name, address: self.Address, port: server.port });
  return {
    key,
    passing: new Passing({ config, key }),
    commands: [
      ["node push", async () => await sync.push() as unknown as Json],
      ["node list", async () => await sync.states() as unknown as Json],
    ],
    start: () => sync.start(),
    stop: (graceMs) => {
      sync.stop();
      return server.shutdown(graceMs);
    },
  };
}

/** The listener whose rules hold for mail that came to another node. */
function mailListener(config: Config): Listener {
  const all = [...config.static.Listeners.values()];
  return all.find((l) => l.SMTP.Enabled) ?? all[0];
}

function lmtpOptions(o: NodeOptions, log: Log): SmtpServerOptions {
  const l = mailListener(o.config);
  return {
    hostname: l.Hostname || o.config.static.Hostname,
    log,
    backend: o.receiving.backend(l),
    tmpDir: o.tempDir,
    lmtp: true,
    limits: l.SMTPMaxMessageSize > 0 ? { size: l.SMTPMaxMessageSize } : undefined,
    noRequireTls: l.SMTP.NoRequireTLS,
  };
}

/** A login at another node, by auth_http there. */
function loginCall(check: LoginCheck): CallHandler {
  return async (args) => {
    const { service, login, remoteIp, password, certificate } = args;
    const words = [service, login, remoteIp, password];
    if (!words.every((w) => typeof w === "string")) throw new CallError("login: words expected");
    return await check({
      service: service as AuthService,
      login: login as string,
      remoteIp: remoteIp as string,
      password: password as string,
      certificate: typeof certificate === "string" ? Uint8Array.fromBase64(certificate) : undefined,
    });
  };
}
