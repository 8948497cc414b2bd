/**
 * HTTP requests that a node passes on to the one that has their account, over the link between the nodes: a line of JSON
 * with the request's head, its body in pieces, and the answer in the same form. A connection is used again for the next
 * request, after the answer is complete.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import * as v from "valibot";
import type { Connection } from "../net/mod.ts";
import type { NodeKey } from "./key.ts";
import { type KeptLink, KeptLinks } from "./kept_links.ts";
import { connectNode, NodeAway, type NodePlace } from "./link.ts";
import { streamOf } from "./stream.ts";

/** Bytes of the head of a request or answer between nodes: more than its fields may have. */
const maxHead = 256 * 1024;
/** Bytes of a piece of a body. */
const maxPiece = 1024 * 1024;
/** Milliseconds for an answer to begin, and for its next piece: event streams have long pauses. */
const answerTimeout = 5 * 60_000;
const pieceTimeout = 30 * 60_000;

const requestSchema = v.object({
  /** Name of the service, such as "webmail". */
  service: v.string(),
  /** The port that the request came in on serves HTTPS. */
  https: v.boolean(),
  method: v.string(),
  /** Path and query. */
  target: v.string(),
  host: v.string(),
  /** Scheme, host and port that the client knows. */
  origin: v.string(),
  remoteIp: v.string(),
  /** The client uses HTTPS. */
  secure: v.boolean(),
  /** Names and values in turn. */
  headers: v.array(v.string()),
  hasBody: v.boolean(),
  /** After this line the connection is the client's, as it is after the head of its request (RFC 9110 §7.8). */
  upgrade: v.optional(v.boolean()),
});
export type PassedRequest = v.InferOutput<typeof requestSchema>;

const answerSchema = v.object({
  status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers: v.array(v.tuple([v.string(), v.string()])),
  hasBody: v.boolean(),
});

const decoder = new TextDecoder();
/** Methods that change nothing (RFC 9110 §9.2.1, RFC 4918 §9.1). */
const reading = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"]);

/** Reads the head of a request. @throws Error if it is invalid, and errors of the connection */
export async function readRequest(conn: Connection): Promise<PassedRequest> {
  return v.parse(requestSchema, JSON.parse(decoder.decode(await conn.readLine(maxHead))));
}

/** The pieces of a body, each valid until the next. @throws Error for other lines, and errors of the connection */
export async function* readPieces(conn: Connection): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const size = Number(decoder.decode(await conn.readLine(20)));
    if (!Number.isSafeInteger(size) || size < 0 || size > maxPiece) {
      throw new Error("the size of a piece is expected");
    }
    if (size === 0) return;
    for (let left = size; left > 0;) {
      const piece = Uint8Array.from(await conn.readSome(left));
      left -= piece.length;
      yield piece;
    }
  }
}

async function writePieces(conn: Connection, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of body) {
    for (let at = 0; at < bytes.length; at += maxPiece) {
      const piece = bytes.subarray(at, at + maxPiece);
      conn.write(`${piece.length}\r\n`);
      conn.write(piece);
      await conn.flush();
    }
  }
  conn.write("0\r\n");
  await conn.flush();
}

/** Writes a complete answer. @throws errors of the connection and of the answer's body */
export async function writeAnswer(
  conn: Connection,
  method: string,
  response: Response,
): Promise<void> {
  const headers: [string, string][] = [];
  response.headers.forEach((value, name) => headers.push([name, value]));
  const hasBody = response.body !== null && method !== "HEAD";
  conn.write(`${JSON.stringify({ status: response.status, headers, hasBody })}\r\n`);
  await conn.flush();
  if (hasBody) await writePieces(conn, response.body!);
  else await response.body?.cancel();
}

/** Connections to other nodes for requests. */
export class WebLinks {
  readonly #key: NodeKey;
  readonly #links: KeptLinks;

  constructor(key: NodeKey) {
    this.#key = key;
    this.#links = new KeptLinks(key, "http", maxHead);
  }

  /**
   * Passes a request on. A connection that was kept may be dead: a request that only reads is then sent again
   * on a new one.
   * @param signal is aborted when the client disconnects
   * @throws NodeAway
   */
  async pass(
    name: string,
    place: NodePlace,
    head: PassedRequest,
    body: ReadableStream<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const links = this.#links;
    const kept = links.take(name, place);
    if (kept !== undefined) {
      try {
        return await this.#passOn(kept, name, place, head, body, signal);
      } catch (err) {
        const again = reading.has(head.method) && body === undefined && !signal.aborted;
        if (!(err instanceof NodeAway) || !again) throw err;
      }
    }
    return await this.#passOn(await links.make(name, place), name, place, head, body, signal);
  }

  /**
   * Passes an upgrade on: the other node answers the client, and has its connection from then on. Resolves when either
   * ends it.
   * @param first bytes of the client after its request
   * @throws NodeAway, before anything was sent to the client
   */
  async upgrade(
    name: string,
    place: NodePlace,
    head: PassedRequest,
    socket: Duplex,
    first: Uint8Array,
  ): Promise<void> {
    const conn = await connectNode(this.#key, name, place, "http");
    conn.write(`${JSON.stringify({ ...head, upgrade: true })}\r\n`);
    if (first.length > 0) conn.write(first);
    const other = streamOf(conn);
    await new Promise<void>((resolve) => {
      const end = () => {
        socket.destroy();
        other.destroy();
        resolve();
      };
      for (const s of [socket, other]) s.on("error", end).on("close", end);
      socket.pipe(other);
      // A client need not close what the other node has ended.
      other.on("end", () => socket.end(end));
      other.pipe(socket, { end: false });
      conn.flush().catch(end);
    });
  }

  async #passOn(
    { conn, next }: KeptLink,
    name: string,
    place: NodePlace,
    head: PassedRequest,
    body: ReadableStream<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const links = this.#links;
    const gone = () => conn.destroy();
    signal.addEventListener("abort", gone);
    const timer = setTimeout(gone, answerTimeout);
    let sent = false;
    try {
      conn.write(`${JSON.stringify(head)}\r\n`);
      await conn.flush();
      const sending = (body === undefined ? Promise.resolve() : writePieces(conn, body))
        .then(() => sent = true);
      // The other node may have answered before reading everything.
      sending.catch(() => {});
      const answer = v.parse(answerSchema, JSON.parse(decoder.decode(await next)));
      clearTimeout(timer);
      const over = () => {
        signal.removeEventListener("abort", gone);
        if (sent && !signal.aborted) links.keep(name, place, conn);
        else conn.destroy();
      };
      const headers = new Headers(answer.headers);
      if (!answer.hasBody) {
        over();
        return new Response(null, { status: answer.status, headers });
      }
      conn.readTimeout = pieceTimeout;
      const pieces = readPieces(conn);
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          try {
            const { value, done } = await pieces.next();
            if (!done) return controller.enqueue(value);
            over();
            controller.close();
          } catch (err) {
            conn.destroy();
            controller.error(err);
          }
        },
        cancel: gone,
      }, { highWaterMark: 0 });
      return new Response(stream, { status: answer.status, headers });
    } catch (err) {
      clearTimeout(timer);
      signal.removeEventListener("abort", gone);
      conn.destroy();
      throw err instanceof NodeAway ? err : new NodeAway(name, err);
    }
  }

  /** Closes the connections that wait for the next request. */
  close(): void {
    this.#links.close();
  }
}
