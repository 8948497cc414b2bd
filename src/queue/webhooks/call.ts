/**
 * One call of a webhook: an HTTP POST with JSON, to a checked address, never redirected.
 *
 * The URL comes from a user: the server's rule for those is asked after the name was resolved, and the connection
 * goes to the address that was checked. Addresses that only this machine's network card answers to (such as those of
 * cloud providers' metadata) are refused in any case. What is told of a failure says nothing of the network here.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { Log } from "../../log/mod.ts";
import { type AddressRule, networkOf, type Outbound, parseIp, toldToUsers } from "../../net/mod.ts";
import { programVersion } from "../../platform/version.ts";
import type { HookAttempt } from "./types.ts";

const log = new Log("webhook");

/** Bytes of an answer that are kept; more is not read. */
const maxResponse = 1024;
/** Milliseconds. */
export const callTimeout = 30_000;

export interface HookRequest {
  url: string;
  authorization: string;
  payload: string;
  /** 0 for an example. */
  id: number;
  /** From 1. */
  attempt: number;
  /** Key of the signature. */
  secret: string;
}

/** The signature of a body that was sent at a time (seconds since the epoch): HMAC-SHA-256, hex. */
export function signPayload(secret: string, time: number, payload: string): string {
  return createHmac("sha256", secret).update(`${time}.${payload}`).digest("hex");
}

const refusedNetworks: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  // The metadata address of a big provider.
  ["fd00:ec2::254", 128],
];

/** True for addresses that no webhook is at. */
export function isRefusedAddress(text: string): boolean {
  let ip = parseIp(text);
  if (ip === undefined) return true;
  // RFC 4291 §2.5.5.2: an IPv4 address in another form.
  const mapped = ip.length === 16 && ip.subarray(0, 10).every((b) => b === 0) &&
    ip[10] === 255 && ip[11] === 255;
  if (mapped) ip = ip.slice(12);
  const own = ip;
  return refusedNetworks.some(([network, bits]) => {
    const bytes = parseIp(network)!;
    return bytes.length === own.length && networkOf(bytes, bits) === networkOf(own, bits);
  });
}

/** Why no webhook is called at an address; undefined where one may be. */
export const hookRule: AddressRule = (ip) =>
  isRefusedAddress(ip) ? "no webhook can be there" : undefined;

/** Makes a call. Never throws; what went wrong is in the attempt. */
export async function callHook(
  outbound: Outbound,
  r: HookRequest,
  signal: AbortSignal,
  timeout: number = callTimeout,
): Promise<Omit<HookAttempt, "time">> {
  const start = performance.now();
  const ended = (code: number, error: string, response: string) => ({
    took: Math.round(performance.now() - start),
    success: error === "",
    code,
    error,
    response,
  });
  try {
    const answer = await outbound.request({
      url: new URL(r.url),
      method: "POST",
      headers: headersFor(r),
      body: r.payload,
      rule: (ip) => hookRule(ip) ?? outbound.forUsers?.(ip),
      signal,
      timeout,
      maxBytes: maxResponse,
      // The status says all that matters.
      cutOff: true,
    });
    const { status } = answer;
    const response = new TextDecoder().decode(answer.body).replaceAll("\0", "\ufffd");
    if (status >= 200 && status < 300) return ended(status, "", response);
    return ended(status, `the answer has status ${status}`, response);
  } catch (err) {
    const text = err instanceof Error ? err.message : String(err);
    log.info("webhook can't be called", { host: URL.parse(r.url)?.host, err: text });
    return ended(0, toldToUsers(err) ?? (text.slice(0, 500) || "the call failed"), "");
  }
}

function headersFor(r: HookRequest): Record<string, string> {
  const time = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": `mox/${programVersion} (webhook)`,
    "X-Mox-Webhook-ID": String(r.id),
    "X-Mox-Webhook-Attempt": String(r.attempt),
    "X-Mox-Webhook-Signature": `t=${time},v1=${signPayload(r.secret, time, r.payload)}`,
  };
  if (r.authorization !== "") headers["Authorization"] = r.authorization;
  return headers;
}
