/**
 * Input and output of HTTP request handlers.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Log } from "../../log/mod.ts";

/** A request, with its URL already validated. */
export interface WebRequest {
  /** Upper case. */
  readonly method: string;
  /** As requested by the client: scheme, host and path. */
  readonly url: URL;
  /** Scheme, host and port as used by the client, also behind a trusted reverse proxy. */
  readonly origin: string;
  /** Path below the service's own, decoded only as far as URL does; starts with "/". */
  readonly path: string;
  readonly headers: Headers;
  /** Address of the client; behind a trusted reverse proxy, the one it names. */
  readonly remoteIp: string;
  /** The client uses HTTPS. */
  readonly secure: boolean;
  /** Aborted when the client disconnects before it has the whole answer, or when the server stops. */
  readonly signal: AbortSignal;
  readonly cid: number;
  readonly log: Log;
  /** Aborted as soon as the server starts to stop: long answers (event streams) then end. */
  readonly stopping: AbortSignal;
  /**
   * The whole body.
   * @throws HttpError 413 if it has more bytes than the limit; 408 if it stalls.
   */
  body(limit: number): Promise<Uint8Array>;
  /** The body as it arrives; reading fails like `body`. It can be read once. */
  stream(limit: number): ReadableStream<Uint8Array>;
  /** Path of another service on the same port and host, by its name; undefined if there is none. */
  readonly sibling: (service: string) => string | undefined;
  /** Alternating names and values, as sent by the client, for passing the request on (reverse proxy). */
  readonly rawHeaders: readonly string[];
  /** A body follows, whose length may be unknown. */
  readonly hasBody: boolean;
  /** The runtime's own object, needed by libraries for upgrades; undefined with HTTP/2. */
  readonly raw: IncomingMessage | undefined;
}

/** Answers a request. */
export type WebHandler = (req: WebRequest) => Response | Promise<Response>;

/** The source of a request's body: the runtime's message or stream. */
export interface Incoming {
  pause(): unknown;
  resume(): unknown;
  on(event: "data", f: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close" | "aborted", f: () => void): unknown;
  on(event: "error", f: (err: Error) => void): unknown;
  /** Aborts it, and with HTTP/1.1 its connection. */
  destroy(): unknown;
}

/** The target of an answer. Writing to a destroyed one does nothing. */
export interface AnswerSink {
  readonly destroyed: boolean;
  /** Status and fields, before everything else. */
  head(status: number, headers: Record<string, string | string[]>): void;
  /** False if the caller must wait for {@link AnswerSink.drained} before writing more. */
  readonly ready: boolean;
  write(bytes: Uint8Array): void;
  /** Waits until more may be written. @throws Error if the client doesn't read for so many milliseconds, or has disconnected */
  drained(timeout: number): Promise<void>;
  /** The answer is complete. The rest of its request is dropped for a moment, then refused. */
  finish(): Promise<void>;
  /** The answer is incomplete, and its client must notice that. */
  destroy(): void;
}

/** Takes over the connection of a request with "Connection: Upgrade"; `head` has already been read. */
export type UpgradeHandler = (
  req: WebRequest,
  socket: Duplex,
  head: Uint8Array,
) => void | Promise<void>;

/** A service at a path of some hosts. */
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
  /** Also answers at the path without its last slash, instead of redirecting. */
  exact?: boolean;
}

/** An error answer; thrown by handlers. */
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

/** The message for users when the disk is full (507 Insufficient Storage, RFC 4918 section 11.5). */
export function diskFull(): HttpError {
  return new HttpError(507, "the server's disk is full: try again later, and tell who runs it");
}
