/**
 * The ACME library, loaded when the first certificate is got, with its habit taken away to wait hours for a
 * rate limit by itself: who waits for what is decided in schedule.ts.
 *
 * @module
 */
import { AcmeError } from "./errors.ts";

type Library = typeof import("acme-client");

/** Milliseconds for one request. */
const requestTimeout = 60_000;

let loaded: Promise<Library> | undefined;

/** The library; loaded once. */
export function acmeLibrary(): Promise<Library> {
  return loaded ??= import("acme-client").then((acme) => {
    const { axios } = acme;
    axios.defaults.timeout = requestTimeout;
    axios.interceptors.response.clear();
    // All answers come through here, as errors: the library's request interceptor makes them so.
    axios.interceptors.response.use(null, (err: FailedRequest) => {
      const { response, config } = err;
      if (!response) {
        const host = config?.url ? new URL(config.url).host : "the authority";
        throw new AcmeError(`request to ${host}: ${err.message || err.code}`, 0, { cause: err });
      }
      const { status } = response;
      if (status === 429 || status >= 500) {
        const detail = response.data?.detail ?? `HTTP status ${status}`;
        throw new AcmeError(detail, retryAfter(response.headers?.["retry-after"]));
      }
      const fine = config?.retryValidateStatus;
      if (fine && !fine(status)) {
        throw new AcmeError(response.data?.detail ?? `HTTP status ${status}`);
      }
      return response;
    });
    return acme;
  });
}

interface FailedRequest extends Error {
  code?: string;
  config?: { url?: string; retryValidateStatus?: (status: number) => boolean };
  response?: {
    status: number;
    headers?: Record<string, string>;
    data?: { detail?: string };
  };
}

/** Milliseconds that a Retry-After header asks for, as seconds or as a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Math.max(0, ms || 0);
}
