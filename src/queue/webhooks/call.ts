/**
 * One call of a webhook: an HTTP POST with JSON, to a checked address, never redirected.
 *
 * The URL comes from a user: the server's rule for such addresses is checked after resolving the name, and the
 * connection goes to the checked address. Addresses that only this machine's network card answers to (such as
 * those of cloud providers' metadata) are always refused. Error texts reveal nothing about the network here.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { Log } from "../../log/mod.ts";
import { messageForUsers, type Outbound } from "../../net/mod.ts";
import { programVersion } from "../../platform/version.ts";
import type { HookAttempt } from "./types.ts";

const log = new Log("webhook");

/** Bytes of an answer that are kept; the rest is not read. */
const maxResponse = 1024;
/** Milliseconds. */
export const callTimeout = 30_000;

export interface HookRequest {
  url: string;
  authorization: string;
  payload: string;
  /** 0 for an example. */
  id: number;
  /** Starts at 1. */
  attempt: number;
  /** Key for the signature. */
  secret: string;
}

/** The signature of a body sent at a given time (seconds since the epoch): HMAC-SHA-256, hex. */
export function signPayload(secret: string, time: number, payload: string): string {
  return createHmac("sha256", secret).update(`${time}.${payload}`).digest("hex");
}

/** Makes a call. Never throws; errors are in the attempt. */
export async function callHook(
  outbound: Outbound,
  request: HookRequest,
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
      url: new URL(request.url),
      method: "POST",
      headers: headersFor(request),
      body: request.payload,
      rule: outbound.forUsers,
      signal,
      timeout,
      maxBytes: maxResponse,
      // Only the status matters.
      cutOff: true,
    });
    const { status } = answer;
    const response = new TextDecoder().decode(answer.body).replaceAll("\0", "\ufffd");
    if (status >= 200 && status < 300) return ended(status, "", response);
    return ended(status, `the answer has status ${status}`, response);
  } catch (err) {
    const text = err instanceof Error ? err.message : String(err);
    log.info("webhook can't be called", { host: URL.parse(request.url)?.host, err: text });
    return ended(0, messageForUsers(err) ?? (text.slice(0, 500) || "the call failed"), "");
  }
}

function headersFor(request: HookRequest): Record<string, string> {
  const time = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": `mox/${programVersion} (webhook)`,
    "X-Mox-Webhook-ID": String(request.id),
    "X-Mox-Webhook-Attempt": String(request.attempt),
    "X-Mox-Webhook-Signature": `t=${time},v1=${signPayload(request.secret, time, request.payload)}`,
  };
  if (request.authorization !== "") headers["Authorization"] = request.authorization;
  return headers;
}
