/**
 * The ACME library, loaded when the first certificate is obtained, and kept from waiting hours for a rate limit
 * by itself: schedule.ts decides how long to wait. Its requests go through the server's only outgoing path, not
 * its own.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Outbound } from "../net/mod.ts";
import { rareModule } from "../platform/rare_modules.ts";
import { AcmeError } from "./errors.ts";

/** The library's exports. */
export type AcmeLibrary = typeof import("./acme_package.ts");

const load = rareModule<AcmeLibrary>(new URL("./acme_package.ts", import.meta.url));

/** Milliseconds for one request. */
const requestTimeout = 60_000;

let loaded: Promise<AcmeLibrary> | undefined;

/** Bytes of an answer: a chain of certificates has some thousands. */
const maxAnswer = 1024 * 1024;
/** Redirects that are followed. */
const redirects = 5;

/** The library has a single client: the path of a request depends on who started it. */
const way = new AsyncLocalStorage<Outbound>();

/** Runs a function whose requests to authorities take the given path. */
export function withWay<T>(outbound: Outbound, fn: () => Promise<T>): Promise<T> {
  return way.run(outbound, fn);
}

/** A request that the library wants made. */
interface Asked {
  url?: string;
  method?: string;
  headers: { toJSON(): Record<string, unknown> };
  data?: unknown;
}

/** Makes a request; answers are errors too, see below. */
async function ask(config: Asked): Promise<never> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(config.headers.toJSON())) {
    if (typeof value === "string") headers[name] = value;
  }
  let response: FailedRequest["response"];
  let message = "";
  try {
    const answer = await way.getStore()!.request({
      url: new URL(config.url ?? ""),
      method: (config.method ?? "GET").toUpperCase(),
      headers,
      rule: undefined,
      body: typeof config.data === "string" ? config.data : undefined,
      timeout: requestTimeout,
      maxBytes: maxAnswer,
      redirects,
    });
    response = {
      status: answer.status,
      statusText: "",
      headers: Object.fromEntries(answer.headers),
      data: new TextDecoder().decode(answer.body),
      config,
    };
  } catch (err) {
    message = err instanceof Error ? err.message : String(err);
  }
  throw Object.assign(new Error(message), { config, response });
}

/** The library; loaded once. */
export function acmeLibrary(): Promise<AcmeLibrary> {
  return loaded ??= load().then((acme) => {
    const { axios } = acme;
    axios.defaults.adapter = ask;
    axios.interceptors.response.clear();
    // All answers come through here, as errors: the library's request interceptor makes them errors.
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
    statusText?: string;
    headers?: Record<string, string>;
    // deno-lint-ignore no-explicit-any
    data?: any;
    config?: unknown;
  };
}

/** Milliseconds that a Retry-After header asks for, as seconds or as a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Math.max(0, ms || 0);
}
