/**
 * The server that nginx's mail proxy queries (auth_http, ngx_mail_auth_http_module): is a login valid, and where is the
 * account. Each account's own node checks it, so limits on guessing are kept in one place.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import type { Server } from "node:net";
import type { Config, Node } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import type { AuthService } from "../../metrics/authentication.ts";
import { canonicalIp, Networks, parseIp, type TcpServer } from "../../net/mod.ts";
import { CallError } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { currentAddress, NodeAway } from "../../nodes/link.ts";
import { parsePath, PathError } from "../../smtp/server/mod.ts";
import { HttpError, serveHttp, type WebHandler, type WebRequest } from "../../web/http/mod.ts";
import { needsAppPassword } from "../logins.ts";
import { nodeOfAddress } from "../receiving/targets.ts";
import { ownPlace } from "./own_place.ts";
import { type AskedLogin, askNode, type LoginCheck, type LoginVerdict } from "./login_check.ts";

export interface AuthHttpOptions {
  config: Config;
  /** Undefined without nodes. */
  key: NodeKey | undefined;
  /** Ports of this node's accounts. */
  checkLogin: LoginCheck;
}

/** nginx's names of protocols. */
const services: Record<string, { service: AuthService; port: keyof Node["ProxyPorts"] }> = {
  smtp: { service: "submission", port: "Submission" },
  imap: { service: "imap", port: "IMAP" },
  pop3: { service: "pop3", port: "POP3" },
  sieve: { service: "managesieve", port: "ManageSieve" },
};

/** Login attempts on one connection, counted by nginx, after which it must close it. */
const maxTries = 5;

/** The status is always 200; nginx reads the header fields. */
const withHeaders = (headers: Record<string, string>) => new Response(null, { headers });

/** nginx writes spaces, controls and % as %XX. */
function field(req: WebRequest, name: string): string {
  const text = req.headers.get(name) ?? "";
  if (text.length > 16 * 1024) throw new HttpError(400, `${name} is too long`);
  try {
    // The header's characters are really bytes.
    const bytes = Uint8Array.from(
      text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
      (c) => c.charCodeAt(0),
    );
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, `${name} is not UTF-8`);
  }
}

/** Where nginx passes a connection on to. */
function placeOf(config: Config, name: string | undefined, port: keyof Node["ProxyPorts"]) {
  const listener = [...config.static.Listeners.values()].find((l) => l.AuthHTTP.Enabled)!;
  const known = name ?? config.static.Node;
  const node = config.dynamic.Nodes.get(known);
  const { Address, ProxyPorts } = node ?? ownPlace(listener);
  const address = node === undefined ? Address : currentAddress(known, node);
  return { "Auth-Server": address, "Auth-Port": String(ProxyPorts[port]) };
}

/** Answers nginx. */
export function authHttp(options: AuthHttpOptions): WebHandler {
  const { config } = options;
  return async (req) => {
    const protocol = services[(req.headers.get("auth-protocol") ?? "").toLowerCase()];
    if (protocol === undefined) throw new HttpError(400, "Auth-Protocol is not one of nginx's");
    const method = (req.headers.get("auth-method") ?? "").toLowerCase();
    const remoteIp = canonicalIp(req.headers.get("client-ip") ?? "");
    if (parseIp(remoteIp) === undefined) throw new HttpError(400, "Client-IP is no address");
    if (method === "none") {
      if (protocol.service !== "submission") {
        throw new HttpError(400, "Auth-Method none is for SMTP");
      }
      return withHeaders({
        "Auth-Status": "OK",
        ...placeOf(config, recipientNode(config, req), "SMTP"),
      });
    }
    if (method !== "plain" && method !== "external") {
      return refusal(protocol.service, "use PLAIN or LOGIN over TLS", "504 5.5.4", undefined);
    }
    const login: AskedLogin = {
      service: protocol.service,
      login: field(req, "auth-user"),
      remoteIp,
      password: method === "plain" ? field(req, "auth-pass") : "",
      certificate: method === "external" ? certificateOf(req) : undefined,
    };
    const account = config.accountFor(login.login);
    const node = account === undefined ? undefined : config.nodeOf(account);
    try {
      const verdict = node === undefined || node === config.static.Node
        ? await options.checkLogin(login)
        : await askNode(config, options.key!, node, login);
      return answer(config, verdict, protocol, node, req);
    } catch (err) {
      if (!(err instanceof NodeAway) && !(err instanceof CallError)) throw err;
      req.log.warn("a login can't be checked", { err, login: login.login });
      return refusal(protocol.service, "server is away, try again later", "454 4.7.0", undefined);
    }
  };
}

/** The node of the first recipient; undefined for this one, which reports what is wrong with the address. */
function recipientNode(config: Config, req: WebRequest): string | undefined {
  const text = field(req, "auth-smtp-to").replace(/^RCPT TO:\s*/i, "");
  try {
    const { address } = parsePath(text, { pedantic: false, utf8: true });
    return address === undefined ? undefined : nodeOfAddress(config, address);
  } catch (err) {
    if (err instanceof PathError) return undefined;
    throw err;
  }
}

/** The client's certificate, whose key it has proved to nginx (auth_http_pass_client_cert). */
function certificateOf(req: WebRequest): Uint8Array {
  try {
    return Uint8Array.from(new X509Certificate(field(req, "auth-ssl-cert")).raw);
  } catch {
    throw new HttpError(400, "Auth-SSL-Cert is no certificate");
  }
}

function answer(
  config: Config,
  verdict: LoginVerdict,
  { service, port }: typeof services[string],
  node: string | undefined,
  req: WebRequest,
): Response {
  if (verdict.result === "ok") {
    return withHeaders({
      "Auth-Status": "OK",
      "Auth-User": verdict.login,
      ...placeOf(config, node, port),
    });
  }
  if (verdict.result === "limited") {
    return refusal(service, "too many failed logins, try again later", "454 4.7.0", undefined);
  }
  const tries = Number(req.headers.get("auth-login-attempt") ?? "1");
  // With Auth-Wait the client may try again on its connection.
  const wait = tries < maxTries ? 2 : undefined;
  return verdict.result === "appPassword"
    ? refusal(service, needsAppPassword, "534 5.7.9", wait)
    : refusal(service, "wrong user name or password", "535 5.7.8", wait);
}

function refusal(
  service: AuthService,
  text: string,
  code: string,
  wait: number | undefined,
): Response {
  const headers: Record<string, string> = { "Auth-Status": text };
  if (service === "submission") headers["Auth-Error-Code"] = code;
  if (wait !== undefined) headers["Auth-Wait"] = String(wait);
  return withHeaders(headers);
}

/** Starts the port. Answers proxies only: others could try passwords in the name of any address. */
export function serveAuthHttp(
  ip: string,
  port: number,
  listener: Server,
  proxies: readonly string[],
  handle: WebHandler,
): Promise<TcpServer> {
  const trusted = new Networks(proxies);
  const log = new Log("auth");
  return serveHttp({ hostname: ip, port, listener, log }, {
    service: () => "auth_http",
    upgrade: () => undefined,
    handle: (req) => {
      if (!trusted.has(req.remoteIp)) {
        log.warn("auth_http asked by somebody else", { remote: req.remoteIp });
        throw new HttpError(403, "you are none of TrustedProxies");
      }
      return handle(req);
    },
  });
}
