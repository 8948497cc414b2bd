/**
 * What handlers of HTTP requests see and give.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Log } from "../../log/mod.ts";

/** A request, with its address already checked for form. */
export interface WebRequest {
  /** Upper case. */
  readonly method: string;
  /** As the client asked for it: scheme, host and path. */
  readonly url: URL;
  /** Scheme, host and port that the client knows, also behind a reverse proxy that is trusted. */
  readonly origin: string;
  /** Path below the service's own, decoded only as far as URL does; starts with "/". */
  readonly path: string;
  readonly headers: Headers;
  /** Address of the client; behind a reverse proxy that is trusted, the one it names. */
  readonly remoteIp: string;
  /** The client uses HTTPS. */
  readonly secure: boolean;
  /** Aborted when the client goes away before it has the whole answer, or when the server stops. */
  readonly signal: AbortSignal;
  readonly cid: number;
  readonly log: Log;
  /** Aborted as soon as the server begins to stop: long answers (event streams) then end. */
  readonly stopping: AbortSignal;
  /**
   * The whole body.
   * @throws HttpError 413 if it has more bytes than the limit; 408 if it stops coming.
   */
  body(limit: number): Promise<Uint8Array>;
  /** The body as it comes in; reading fails as `body` does. It can be read once. */
  stream(limit: number): ReadableStream<Uint8Array>;
  /** Path of another service, by its name, of the same port and host; undefined if there is none. */
  readonly sibling: (service: string) => string | undefined;
  /** Names and values in turn, as the client wrote them, for passing the request on (reverse proxy). */
  readonly rawHeaders: readonly string[];
  /** A body follows, of a length that may not be known. */
  readonly hasBody: boolean;
  /** The runtime's own form of it, which libraries for upgrades want; undefined with HTTP/2. */
  readonly raw: IncomingMessage | undefined;
}

/** Answers a request. */
export type WebHandler = (req: WebRequest) => Response | Promise<Response>;

/** Where a request's body comes from: the runtime's message or stream. */
export interface Incoming {
  pause(): unknown;
  resume(): unknown;
  on(event: "data", f: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close" | "aborted", f: () => void): unknown;
  on(event: "error", f: (err: Error) => void): unknown;
  /** Ends it, and with HTTP/1.1 its connection. */
  destroy(): unknown;
}

/** Where an answer goes. Writing to one that is destroyed does nothing. */
export interface AnswerSink {
  readonly destroyed: boolean;
  /** Status and fields, before all else. */
  head(status: number, headers: Record<string, string | string[]>): void;
  /** False if {@link AnswerSink.drained} is to be waited for before more is written. */
  readonly ready: boolean;
  write(bytes: Uint8Array): void;
  /** Waits until more may be written. @throws Error if the client doesn't read for so many milliseconds, or is gone */
  drained(timeout: number): Promise<void>;
  /** The answer is whole. What still comes of its request is dropped for a moment, then refused. */
  finish(): Promise<void>;
  /** The answer is not whole, and its client must see that. */
  destroy(): void;
}

/** Takes over the connection of a request with "Connection: Upgrade"; `head` has come in already. */
export type UpgradeHandler = (
  req: WebRequest,
  socket: Duplex,
  head: Uint8Array,
) => void | Promise<void>;

/** Something at a path of some hosts. */
export interface WebService {
  /** Name in logs and metrics. */
  name: string;
  /** Starts and ends with "/". Requests to the path without its last slash are redirected. */
  path: string;
  /** True for the host names it answers to (lower case, without port; IPv6 in brackets). */
  host: (name: string) => boolean;
  handle: WebHandler;
  upgrade?: UpgradeHandler;
  /** Take the client's address, scheme and host from X-Forwarded-For, -Proto and -Host. */
  forwarded?: boolean;
  /** Answers to the path without its last slash too, instead of redirecting. */
  exact?: boolean;
}

/** An answer in place of the one that was asked for; thrown by handlers. */
export class HttpError extends Error {
  /** HTTP status, 400-599. */
  readonly status: number;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    message: string,
    headers: Record<string, string> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "HttpError";
    this.status = status;
    this.headers = headers;
  }
}

/** What a user is told where the server has no room left (507 Insufficient Storage, RFC 4918 section 11.5). */
export function diskFull(): HttpError {
  return new HttpError(507, "the server's disk is full: try again later, and tell who runs it");
}
