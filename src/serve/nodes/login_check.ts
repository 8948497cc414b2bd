/**
 * Logins that a proxy or another node asks about: checked, limited and logged as if the client had logged in here.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { newCid } from "../../log/mod.ts";
import type { AuthResult, AuthService } from "../../metrics/authentication.ts";
import { type LoginGuard, LoginLimited } from "../../net/mod.ts";
import { CallError, callNode } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { type SaslBackend, SaslError } from "../../sasl/mod.ts";

/** A login that is asked about. */
export interface AskedLogin {
  service: AuthService;
  login: string;
  /** The client's address. */
  remoteIp: string;
  /** Empty with a certificate. */
  password: string;
  /** DER of a certificate whose key the client has proved to the proxy. */
  certificate?: Uint8Array;
}

/** The outcome. */
export interface LoginVerdict {
  result: "ok" | "wrong" | "limited" | "appPassword";
  /** The name to log in with. */
  login: string;
  /** Seconds after which another try makes sense; with "limited". */
  retryAfter?: number;
}

export type LoginCheck = (login: AskedLogin) => Promise<LoginVerdict>;

/** Has another node check a login of its account. @throws NodeAway, CallError */
export async function askNode(
  config: Config,
  key: NodeKey,
  node: string,
  login: AskedLogin,
): Promise<LoginVerdict> {
  const place = config.dynamic.Nodes.get(node)!;
  const certificate = login.certificate?.toBase64();
  return await callNode(key, node, place, "login", { ...login, certificate }) as LoginVerdict;
}

/** Checks logins of this node's accounts. */
export function loginChecker(
  o: { sasl: SaslBackend; loginGuard: LoginGuard },
): LoginCheck {
  return async (l) => {
    let admission;
    try {
      const { service, login, remoteIp } = l;
      admission = await o.loginGuard.admit({ service, login, remoteIp, cid: newCid() });
    } catch (err) {
      if (!(err instanceof LoginLimited)) throw err;
      return { result: "limited", login: l.login, retryAfter: err.retryAfter };
    }
    let result: AuthResult = "error";
    try {
      const verdict = await check(o.sasl, l);
      result = verdict.result === "ok" ? "ok" : "badcreds";
      return verdict;
    } finally {
      const mechanism = l.certificate === undefined ? "plain" : "external";
      await admission.done(result, { mechanism, client: "proxy" });
    }
  };
}

async function check(sasl: SaslBackend, l: AskedLogin): Promise<LoginVerdict> {
  const { login } = l;
  if (l.certificate !== undefined) {
    const known = await sasl.certificateUsername?.(l.certificate);
    const good = known !== undefined && (login === "" || login === known.username);
    return { result: good ? "ok" : "wrong", login: known?.username ?? login };
  }
  try {
    const peer = { protocol: l.service, remoteIp: l.remoteIp };
    const credential = await sasl.checkPassword(login, l.password, peer);
    return { result: credential === undefined ? "wrong" : "ok", login };
  } catch (err) {
    if (!(err instanceof SaslError)) throw err;
    if (err.reason === "temporary") throw new CallError(err.message);
    return { result: err.reason === "appPassword" ? "appPassword" : "wrong", login };
  }
}
