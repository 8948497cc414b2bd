/**
 * An HTTP/2 stream in the form of a request and answer for handlers.
 *
 * @module
 */
import type { ServerHttp2Stream } from "node:http2";
import { drainedBy, writeTimeout } from "../drained.ts";
import { requestOf, type RequestOrigin } from "../request.ts";
import { type AnswerSink, HttpError, type WebRequest } from "../types.ts";
import type { FrameGate } from "./gate.ts";

/** RFC 9113 §7. */
const noError = 0;
const internalError = 2;

/** RFC 9113 §8.2.2: connection-specific fields have no meaning here. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Fields of a request; and their bytes, counted as in RFC 9113 §10.5.1, like for HTTP/1.1. */
const maxFields = 200;
export const maxHeaderSize: number = 32 * 1024;
const fieldOverhead = 32;

/** An HTTP/2 request whose fields have not been checked. */
export interface StreamRequest {
  method: string;
  host: string;
  /** @throws HttpError 400 */
  read(origin: RequestOrigin): WebRequest;
}

/** The request of a stream, from its fields (alternating names and values). */
export function requestOfStream(
  stream: ServerHttp2Stream,
  fields: readonly string[],
): StreamRequest {
  const pseudo = new Map<string, string>();
  const rawHeaders: string[] = [];
  const cookies: string[] = [];
  let host: string | undefined;
  let hosts = 0;
  let size = 0;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i], fields[i + 1]];
    size += name.length + value.length + fieldOverhead;
    if (name.startsWith(":")) pseudo.set(name, value);
    else if (name === "cookie") cookies.push(value);
    else if (name === "host") {
      host = value;
      hosts++;
    } else rawHeaders.push(name, value);
  }
  // RFC 9113 §8.2.3: cookie crumbs are joined before anyone else sees them.
  if (cookies.length > 0) rawHeaders.push("cookie", cookies.join("; "));
  const authority = pseudo.get(":authority") ?? host;
  if (authority !== undefined) rawHeaders.push("host", authority);
  const method = pseudo.get(":method") ?? "";
  return {
    method,
    host: authority ?? "",
    read(origin) {
      if (fields.length / 2 > maxFields || size > maxHeaderSize) {
        throw new HttpError(431, "the request's header is too large");
      }
      if (method === "CONNECT") throw new HttpError(405, "this server is no proxy");
      // RFC 9113 §8.3.1: both must be the same.
      if (hosts > 1 || (host !== undefined && host.toLowerCase() !== authority!.toLowerCase())) {
        throw new HttpError(400, "the request's authority and its Host header differ");
      }
      const target = pseudo.get(":path") ?? "";
      if (!target.startsWith("/")) throw new HttpError(400, "bad request target");
      return requestOf({
        method,
        target,
        host: authority,
        rawHeaders,
        hasBody: !stream.endAfterHeaders,
        incoming: stream,
        raw: undefined,
      }, origin);
    },
  };
}

/** The target of a stream's answer. */
export class AnswerStream implements AnswerSink {
  readonly #stream: ServerHttp2Stream;
  readonly #gate: FrameGate;
  #whole = false;

  constructor(stream: ServerHttp2Stream, gate: FrameGate) {
    this.#stream = stream;
    this.#gate = gate;
  }

  /** The answer is complete. */
  get whole(): boolean {
    return this.#whole && this.#stream.writableFinished;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  head(status: number, headers: Record<string, string | string[]>): void {
    if (this.#stream.destroyed) return;
    const sent: Record<string, string | string[] | number> = { ":status": status };
    for (const [name, value] of Object.entries(headers)) {
      const lower = name.toLowerCase();
      if (!ofConnection.has(lower)) sent[lower] = value;
    }
    this.#stream.respond(sent);
  }

  get ready(): boolean {
    return !this.#stream.writableNeedDrain && !this.#gate.crowded;
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
    this.#gate.count();
  }

  async drained(timeout: number): Promise<void> {
    if (this.#stream.writableNeedDrain) await drainedBy(this.#stream, timeout);
    // The runtime reads from streams what their windows allow, even if the connection can't send it.
    while (this.#gate.crowded && !this.#stream.destroyed) {
      await drainedBy(this.#gate, timeout, "uncrowded");
    }
  }

  async finish(): Promise<void> {
    const s = this.#stream;
    this.#whole = true;
    if (s.destroyed) return;
    s.end();
    // Until it is sent, it counts as being answered.
    if (!s.writableFinished) {
      await drainedBy(s, writeTimeout, "finish").catch(() => this.destroy());
    }
    // RFC 9113 §8.1: the answer is complete, and the rest of the request is not needed.
    if (s.destroyed || s.endAfterHeaders || s.readableEnded) return;
    s.close(noError);
    s.resume();
  }

  destroy(): void {
    if (!this.#stream.destroyed) this.#stream.close(internalError);
  }
}
