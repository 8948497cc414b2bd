/**
 * HTTPS to policy hosts by the server's one way out: with the addresses that our own resolver gives, and the
 * authorities of the configuration. Policies are got by the same view of the world as mail is delivered by.
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

/** Makes a function that gets documents, redirects as they are. */
export function outboundFetch(outbound: Outbound): Fetch {
  return async (url, init) => {
    const answer = await outbound.request({
      url: new URL(url),
      headers: init.headers as Record<string, string>,
      // Whoever a user writes to chooses where the policy is.
      rule: outbound.forUsers,
      signal: init.signal ?? undefined,
      // What is longer is no policy: one byte more shows it.
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
