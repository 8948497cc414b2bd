/**
 * From a request to its answer, for all versions of HTTP: the client's identity, the service that answers, metrics
 * and logging.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Log } from "../../log/mod.ts";
import { countPanic, histogram } from "../../metrics/mod.ts";
import type { AcceptOptions, Arrival } from "../../net/mod.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { forwardedRequest } from "./forwarded.ts";
import { errorResponse, sendResponse, textResponse } from "./respond.ts";
import {
  type AnswerSink,
  HttpError,
  type UpgradeHandler,
  type WebHandler,
  type WebRequest,
} from "./types.ts";

/** Handles requests. */
export interface HttpHandlers {
  /** Name of the service that answers, for metrics and logs. */
  service(req: WebRequest): string;
  handle: WebHandler;
  /** Undefined refuses upgrades. */
  upgrade(req: WebRequest): UpgradeHandler | undefined;
}

/** State of one connection that its requests share. */
export interface HttpConnection {
  readonly remoteIp: string;
  readonly cid: number;
  readonly log: Log;
  /** The client uses HTTPS, with this server or with a proxy in front of it. */
  readonly secure: boolean;
  readonly arrival: Arrival;
}

const durations = histogram(
  "mox_http_request_duration_seconds",
  "Time to answer HTTP requests, without event streams, by service and class of status.",
  ["service", "code"],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
);

/** Named and labelled as in the original's alerting rules. */
const durationsByCode = histogram(
  "mox_httpserver_request_duration_seconds",
  "Time to answer HTTP requests, without event streams, by service and status.",
  ["handler", "code"],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
);

/** A received request, in the form of its HTTP version. */
export interface ToAnswer {
  version: "1.1" | "2";
  /** Parses it. @throws HttpError for an invalid request */
  read: () => WebRequest;
  method: string;
  host: string;
  to: AnswerSink;
  /** Emits "close" when the request and its answer have ended. */
  until: EventEmitter;
  signal: AbortSignal;
  /** The answer is an event stream, which lasts. */
  onStreaming?: () => void;
}

/** Answers requests of the connections of a listener. */
export class Answering {
  readonly #limits: Pick<AcceptOptions, "proxies" | "connectionLimiter">;
  readonly handlers: HttpHandlers;

  constructor(
    limits: Pick<AcceptOptions, "proxies" | "connectionLimiter">,
    handlers: HttpHandlers,
  ) {
    this.#limits = limits;
    this.handlers = handlers;
  }

  /** The request as made by its client. @throws HttpError 503 for too many from a client behind a proxy */
  ofClient(req: WebRequest, connection: HttpConnection, until: EventEmitter): WebRequest {
    const { proxies, connectionLimiter } = this.#limits;
    if (proxies?.networks.has(connection.remoteIp) !== true) return req;
    const seen = forwardedRequest(req, proxies.networks);
    // Requests passed on by a proxy are counted for their client, like its connections.
    const { remoteIp } = seen;
    if (proxies.networks.has(remoteIp)) return seen;
    if (connectionLimiter?.add(remoteIp) === false) {
      throw new HttpError(503, "too many requests from your network at a time", {
        "Retry-After": "30",
      });
    }
    until.once("close", () => connectionLimiter?.remove(remoteIp));
    return seen;
  }

  /** Answers; never throws. */
  async answer(answer: ToAnswer, connection: HttpConnection): Promise<void> {
    const start = performance.now();
    let req: WebRequest | undefined;
    let response: Response;
    let service = "none";
    try {
      req = answer.read();
      req = this.ofClient(req, connection, answer.until);
      service = this.handlers.service(req);
      response = await this.handlers.handle(req);
    } catch (e) {
      const known = errorResponse(e);
      if (known === undefined && !answer.signal.aborted) unhandledInHandler(e, connection.log);
      if (isStorageFull(e)) {
        connection.log.error("request can't be carried out", { err: e as Error });
      }
      response = known ?? textResponse(500, "internal error, see the server's log");
    }
    const streaming = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (streaming) answer.onStreaming?.();
    const bytes = await sendResponse(req, response, answer.to);
    const seconds = (performance.now() - start) / 1000;
    if (!streaming) {
      durations.observe({ service, code: `${Math.floor(response.status / 100)}xx` }, seconds);
      durationsByCode.observe({ handler: service, code: String(response.status) }, seconds);
    }
    connection.log.debug("http request", {
      service,
      version: answer.version,
      method: answer.method,
      host: answer.host,
      path: req?.url.pathname ?? "",
      status: response.status,
      bytes,
      ms: Math.round(seconds * 1000),
      remote: req?.remoteIp ?? connection.remoteIp,
    });
  }
}

/** Logs and counts unexpected errors. */
export function unhandledInHandler(e: unknown, log: Log): void {
  countPanic("webserver");
  log.error("unhandled error in a web handler", {
    err: e instanceof Error ? e : new Error(String(e)),
    stack: e instanceof Error ? e.stack : undefined,
  });
}
