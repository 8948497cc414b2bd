/** Our outgoing connections in the form of `fetch` for OpenID libraries. @module */
import type { Outbound } from "../net/mod.ts";

/** Milliseconds for a request to a provider. */
const timeout = 10_000;
/** Bytes of its answer. */
const maxBytes = 512 * 1024;

/** A request of such a library. */
export interface FetchOptions {
  method: string;
  headers: Record<string, string>;
  body?: BodyInit | null;
  signal?: AbortSignal;
}

/** Makes requests through our outgoing connections, without redirects. URLs are chosen by the administrator or the provider. */
export function outboundFetch(
  outbound: Outbound,
): (url: string, options: FetchOptions) => Promise<Response> {
  return async (url, options) => {
    const { body } = options;
    const answer = await outbound.request({
      url: new URL(url),
      method: options.method,
      headers: options.headers,
      body: body === undefined || body === null
        ? undefined
        : typeof body === "string"
        ? body
        : body instanceof URLSearchParams
        ? body.toString()
        : new Uint8Array(await new Response(body).arrayBuffer()),
      signal: options.signal,
      // Addresses are chosen by the administrator and the provider, not by users.
      rule: undefined,
      timeout,
      maxBytes,
    });
    const empty = [204, 205, 304].includes(answer.status);
    return new Response(empty ? null : answer.body.slice(), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}
