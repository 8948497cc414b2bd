/**
 * One call of a webhook: an HTTP POST with JSON, to a checked address, never redirected.
 *
 * The URL comes from a user: addresses that only this machine's network card answers to (such as those of
 * cloud providers' metadata) are refused, after the name was resolved, and the connection goes to the
 * address that was checked. Loopback and private networks are allowed, as receivers are often there.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { networkOf, parseIp } from "../../net/mod.ts";
import { programVersion } from "../../platform/version.ts";
import type { HookAttempt } from "./types.ts";

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

/** Addresses of a host, checked. @throws Error in words for the user */
async function addressesOf(hostname: string): Promise<string[]> {
  const literal = hostname.replace(/^\[|\]$/g, "");
  const found = parseIp(literal)
    ? [literal]
    : (await lookup(hostname, { all: true })).map((a) => a.address);
  const allowed = found.filter((a) => !isRefusedAddress(a));
  if (allowed.length === 0) {
    throw new Error(
      found.length === 0
        ? `${hostname} has no address`
        : `${hostname} is at an address that is not called: ${found[0]}`,
    );
  }
  return allowed;
}

/** Makes a call. Never throws; what went wrong is in the attempt. */
export async function callHook(
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
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  try {
    const url = new URL(r.url);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new Error("the URL is neither http nor https");
    }
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    limit.addEventListener("abort", () => aborted.reject(new Error("no answer in time")));
    const addresses = await Promise.race([addressesOf(url.hostname), aborted.promise]);
    const { code, response } = await post(url, addresses[0], r, limit);
    if (code >= 200 && code < 300) return ended(code, "", response);
    return ended(code, `the answer has status ${code}`, response);
  } catch (err) {
    const text = limit.aborted && !signal.aborted
      ? `no answer in ${timeout / 1000} seconds`
      : err instanceof Error
      ? err.message
      : String(err);
    return ended(0, text.slice(0, 500) || "the call failed", "");
  }
}

function post(
  url: URL,
  address: string,
  r: HookRequest,
  signal: AbortSignal,
): Promise<{ code: number; response: string }> {
  const body = new TextEncoder().encode(r.payload);
  const time = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    "Host": url.host,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": String(body.length),
    "User-Agent": `mox/${programVersion} (webhook)`,
    "Connection": "close",
    "X-Mox-Webhook-ID": String(r.id),
    "X-Mox-Webhook-Attempt": String(r.attempt),
    "X-Mox-Webhook-Signature": `t=${time},v1=${signPayload(r.secret, time, r.payload)}`,
  };
  if (r.authorization !== "") headers["Authorization"] = r.authorization;
  const https = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const req = (https ? httpsRequest : httpRequest)({
      method: "POST",
      host: address,
      port: url.port === "" ? (https ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      headers,
      agent: false,
      signal,
      // The certificate must be the name's, though the connection goes to an address.
      ...(https && parseIp(hostname) === undefined ? { servername: hostname } : {}),
    }, (res) => {
      const pieces: Uint8Array[] = [];
      let size = 0;
      const done = () => {
        const all = new Uint8Array(Math.min(size, maxResponse));
        let at = 0;
        for (const p of pieces) {
          const part = p.subarray(0, all.length - at);
          all.set(part, at);
          at += part.length;
        }
        resolve({
          code: res.statusCode ?? 0,
          response: new TextDecoder().decode(all).replaceAll("\0", "\ufffd"),
        });
      };
      res.on("data", (piece: Uint8Array) => {
        pieces.push(piece);
        size += piece.length;
        if (size >= maxResponse) {
          // The status says all that matters.
          done();
          req.destroy();
        }
      });
      res.on("end", done);
      res.on("error", reject);
      res.on("aborted", () => reject(new Error("the answer breaks off")));
    });
    req.on("error", reject);
    req.end(body);
  });
}
