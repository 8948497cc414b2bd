/** Requests of the webmail to servers that are not chosen by the administrator. @module */
import type { Outbound } from "../../net/mod.ts";

/** Sends a push message to a service that a browser chose. @returns the status @throws OutboundError */
export async function postPush(
  outbound: Outbound,
  url: URL,
  headers: Record<string, string>,
  body: Uint8Array,
): Promise<number> {
  const { status } = await outbound.request({
    url,
    method: "POST",
    headers,
    body,
    rule: outbound.forUsers,
    timeout: 20_000,
    maxBytes: 64 * 1024,
    cutOff: true,
  });
  return status;
}

/** Unsubscribes by RFC 8058, at a URL that a message chose. @returns the status @throws OutboundError */
export async function postOneClick(outbound: Outbound, url: string): Promise<number> {
  const { status } = await outbound.request({
    url: new URL(url),
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    // RFC 8058 §3.1, all of the body.
    body: "List-Unsubscribe=One-Click",
    rule: outbound.forUsers,
    timeout: 20_000,
    maxBytes: 64 * 1024,
    cutOff: true,
  });
  return status;
}
