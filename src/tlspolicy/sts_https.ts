/**
 * HTTPS to policy hosts through the server's outgoing connections: with our own resolver's addresses, and the
 * configured authorities, as for delivering mail.
 *
 * @module
 */
import type { Outbound } from "../net/mod.ts";
import { type Fetch, policyUrl } from "./sts_fetch.ts";
import { maxPolicyBytes } from "./sts_policy.ts";

/** The text of a domain's policy (ASCII), as served. @throws Error with a message for display */
export async function policyText(outbound: Outbound, domain: string): Promise<string> {
  const { status, body } = await outbound.request({
    url: new URL(policyUrl(domain)),
    rule: undefined,
    maxBytes: maxPolicyBytes,
  });
  if (status !== 200) throw new Error(`the server answers with status ${status}`);
  return new TextDecoder().decode(body);
}

/** Creates a function that fetches documents, without following redirects. */
export function outboundFetch(outbound: Outbound): Fetch {
  return async (url, init) => {
    const answer = await outbound.request({
      url: new URL(url),
      headers: init.headers as Record<string, string>,
      // The recipient's domain chooses the location of the policy.
      rule: outbound.forUsers,
      signal: init.signal ?? undefined,
      // One byte more than allowed, to detect longer ones.
      maxBytes: maxPolicyBytes + 1,
      cutOff: true,
      timeout: 60_000,
    });
    const { status, headers } = answer;
    const empty = [204, 205, 304].includes(status);
    const body = empty ? null : answer.body as Uint8Array<ArrayBuffer>;
    return new Response(body, { status: status < 200 ? 502 : status, headers });
  };
}
