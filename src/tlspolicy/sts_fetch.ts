/** Fetching a policy by HTTPS (RFC 8461 §3.3). @module */
import { maxPolicyBytes, parsePolicy, StsError, type StsPolicy } from "./sts_policy.ts";

/** URL of the policy of a domain (ASCII). */
export function policyUrl(domain: string): string {
  return `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
}

/** Gets a document; replaced in tests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Milliseconds for all of it (§3.3 suggests a minute). */
const fetchTimeout = 60_000;

/**
 * Fetches the policy of a domain (ASCII), over HTTPS with a valid certificate; redirects are not
 * followed.
 * @throws StsError for an invalid policy; other errors if none was received
 */
export async function fetchPolicy(
  domain: string,
  fetchFn: Fetch,
  signal: AbortSignal,
): Promise<StsPolicy> {
  const response = await fetchFn(policyUrl(domain), {
    redirect: "manual",
    headers: { Accept: "text/plain" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(fetchTimeout)]),
  });
  try {
    // §3.3: also for redirects.
    if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
    const type = (response.headers.get("content-type") ?? "").split(";", 1)[0].trim().toLowerCase();
    if (type !== "text/plain") throw new StsError(`it is ${type || "of no kind"}, not text/plain`);
    return parsePolicy(await text(response));
  } finally {
    await response.body?.cancel().catch(() => {});
  }
}

async function text(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let size = 0;
  let out = "";
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return out + decoder.decode();
    size += piece.value.length;
    if (size > maxPolicyBytes) throw new StsError(`it is larger than ${maxPolicyBytes} bytes`);
    out += decoder.decode(piece.value, { stream: true });
  }
}
