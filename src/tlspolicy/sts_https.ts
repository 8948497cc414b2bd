/**
 * HTTPS to policy hosts through the server's only path for outgoing requests: with the addresses from our own
 * resolver, and the authorities of the configuration. So policies are fetched with the same view of the world
 * as mail is delivered with.
 *
 * @module
 */
import type { Outbound } from "../net/mod.ts";
import { type Fetch, policyUrl } from "./sts_fetch.ts";
import { maxPolicyBytes } from "./sts_policy.ts";

/** The text of a domain's policy (ASCII), as it is served. @throws Error in words for people */
export async function policyText(outbound: Outbound, domain: string): Promise<string> {
  const { status, body } = await outbound.request({
    url: new URL(policyUrl(domain)),
    rule: undefined,
    maxBytes: maxPolicyBytes,
  });
  if (status !== 200) throw new Error(`the server answers with status ${status}`);
  return new TextDecoder().decode(body);
}

/** Makes a function that gets documents, returning redirects as they are. */
export function outboundFetch(outbound: Outbound): Fetch {
  return async (url, init) => {
    const answer = await outbound.request({
      url: new URL(url),
      headers: init.headers as Record<string, string>,
      // Whoever a user writes to chooses where the policy is.
      rule: outbound.forUsers,
      signal: init.signal ?? undefined,
      // Anything longer is not a policy: one byte more shows it.
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
