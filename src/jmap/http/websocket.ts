/** JMAP over a websocket (RFC 8887): requests, one after the other, and pushing. @module */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { Share } from "../../net/mod.ts";
import { giveBack } from "../../platform/bytes.ts";
import { Allowance, type WebRequest } from "../../web/http/mod.ts";
import { RequestError } from "../core/errors.ts";
import { maxConcurrentRequests, maxSizeRequest } from "../core/limits.ts";
import type { LoggedInUser } from "../core/method.ts";
import { packAnswer } from "../core/packing.ts";
import { checkRequest, parseBody } from "../core/request.ts";
import { runRequest } from "../core/run.ts";
import { type AllStates, packStates, unpackStates } from "../push/states.ts";
import { Watcher } from "../push/watcher.ts";
import type { JmapServices } from "../services.ts";
import { methodTable } from "../table.ts";
import { closeFrame, frame, FrameError, FrameReader, type Incoming } from "./frames.ts";
import type { Running } from "./running.ts";
import { knownCapabilities, sessionState } from "./session.ts";

/** Milliseconds of silence after which the client is pinged, and then disconnected. */
const pingTime = 60_000;
/** Bytes of answers that a client may leave unread before its requests wait, and before it is disconnected. */
const waitAbove = 1024 * 1024;
const cutAbove = 64 * 1024 * 1024;
/** Most requests of a connection that wait for the running one. */
const maxWaiting = maxConcurrentRequests;
/**
 * Pings and pongs that a client may send in a burst, and per second; a client that sends more is disconnected.
 */
const mostPings = 1000;
const pingsEachSecond = 10;

const encoder = new TextEncoder();

const pushEnable = v.object({
  dataTypes: v.optional(v.nullable(v.array(v.string()))),
  pushState: v.optional(v.nullable(v.string())),
});

/** Why an upgrade is refused; undefined if it is allowed. */
export function upgradeError(req: WebRequest): { status: number; message: string } | undefined {
  const key = req.headers.get("sec-websocket-key") ?? "";
  const has = (name: string, value: string) =>
    (req.headers.get(name) ?? "").toLowerCase().split(",").some((p) => p.trim() === value);
  if (req.method !== "GET" || !has("upgrade", "websocket") || !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    return { status: 400, message: "this is for websockets" };
  }
  if (req.headers.get("sec-websocket-version") !== "13") {
    return { status: 426, message: "the version of websockets must be 13" };
  }
  // RFC 8887 §3.
  if (!has("sec-websocket-protocol", "jmap")) {
    return { status: 400, message: "the subprotocol must be jmap" };
  }
  return undefined;
}

/** The answer to an allowed upgrade. */
export function acceptUpgrade(req: WebRequest): string {
  const accept = createHash("sha1")
    .update(`${req.headers.get("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: jmap\r\n\r\n`;
}

/** One connection. */
export class JmapSocket {
  readonly #s: JmapServices;
  readonly #user: LoggedInUser;
  readonly #req: WebRequest;
  readonly #socket: Duplex;
  readonly #running: Running;
  readonly #reader = new FrameReader(maxSizeRequest);
  readonly #gone = new AbortController();
  readonly #pings = new Allowance(mostPings, pingsEachSecond);
  /** Memory of received messages that aren't processed yet. */
  readonly #share: Share;
  #counted = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #working = false;
  #watcher: Watcher | undefined;
  #alive = true;
  #closing = false;
  readonly #over: () => void;
  readonly #timers: ReturnType<typeof setInterval>[] = [];

  constructor(
    services: JmapServices,
    user: LoggedInUser,
    req: WebRequest,
    socket: Duplex,
    running: Running,
  ) {
    this.#s = services;
    this.#user = user;
    this.#req = req;
    this.#socket = socket;
    this.#running = running;
    this.#share = new Share(req.secure ? "https" : "http", () => this.#end());
    this.#over = services.loggedIn({ ...user, end: (reason) => this.close(1008, reason) });
    this.#timers.push(setInterval(() => {
      if (!this.#alive) return this.#end();
      this.#alive = false;
      this.#write(frame("ping", new Uint8Array(0)));
    }, pingTime));
  }

  /** Serves the connection to its end. */
  run(head: Uint8Array): Promise<void> {
    const stop = () => this.close(1001, "the server stops");
    this.#req.stopping.addEventListener("abort", stop);
    this.#socket.on("data", (b: Uint8Array) => {
      this.#take(b);
      // What it needs of them was copied.
      giveBack(b);
    });
    this.#socket.on("error", () => this.#end());
    this.#socket.on("end", () => this.#end());
    this.#take(head);
    return new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#req.stopping.removeEventListener("abort", stop);
        this.#end();
        resolve();
      });
    });
  }

  #take(bytes: Uint8Array): void {
    if (this.#closing) return;
    this.#alive = true;
    let messages: Incoming[];
    try {
      messages = this.#reader.push(bytes);
    } catch (err) {
      if (!(err instanceof FrameError)) throw err;
      return this.close(err.code, err.message);
    }
    for (const m of messages) {
      if ((m.kind === "ping" || m.kind === "pong") && !this.#pings.use()) {
        return this.close(1008, "too many pings");
      }
      if (m.kind === "ping") this.#write(frame("pong", m.data));
      else if (m.kind === "close") return this.close(1000, "");
      else if (m.kind === "binary") return this.close(1003, "messages are text");
      else if (m.kind === "text") {
        this.#waiting.push(m.data);
        this.#waitingBytes += m.data.length;
      }
    }
    this.#count();
    if (this.#waiting.length >= maxWaiting) this.#socket.pause();
    this.#work().catch((err) => {
      this.#req.log.error("websocket", { err: err as Error });
      this.close(1011, "something went wrong in the server");
    });
  }

  #count(): void {
    const held = this.#reader.held + this.#waitingBytes;
    this.#share.add(held - this.#counted);
    this.#counted = held;
  }

  /** Runs requests one after the other, with turns for others in between. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let m = this.#waiting.shift(); m !== undefined; m = this.#waiting.shift()) {
        const { length } = m;
        await this.#message(m);
        if (this.#gone.signal.aborted) return;
        this.#waitingBytes -= length;
        this.#count();
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        if (this.#socket.writableLength > waitAbove) await this.#drained();
        if (this.#gone.signal.aborted) return;
        if (this.#waiting.length < maxWaiting) this.#socket.resume();
      }
    } finally {
      this.#working = false;
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("drain", () => resolve());
      this.#gone.signal.addEventListener("abort", () => resolve());
    });
  }

  async #message(data: Uint8Array): Promise<void> {
    let id: string | undefined;
    try {
      const value = await parseBody(data);
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new RequestError("notRequest", "a message is an object");
      }
      const m = value as Record<string, unknown>;
      if (typeof m.id === "string") id = m.id;
      switch (m["@type"]) {
        case "Request":
          return await this.#request(m, id);
        case "WebSocketPushEnable":
          return await this.#enable(m);
        case "WebSocketPushDisable":
          this.#watcher?.close();
          this.#watcher = undefined;
          return;
        default:
          throw new RequestError("notRequest", "there is no such @type");
      }
    } catch (err) {
      if (!(err instanceof RequestError)) throw err;
      this.#send({ "@type": "RequestError", requestId: id ?? null, ...err.problem() });
    }
  }

  async #request(m: Record<string, unknown>, id: string | undefined): Promise<void> {
    const request = checkRequest(m, knownCapabilities(this.#s, this.#user));
    const response = await this.#running.run(
      this.#user.account,
      () =>
        runRequest(this.#s, methodTable, this.#user, request, {
          log: this.#req.log,
          signal: this.#gone.signal,
        }),
    );
    if (response === undefined) {
      throw new RequestError("limit", `more than ${maxConcurrentRequests} requests at a time`, {
        status: 429,
        limit: "maxConcurrentRequests",
      });
    }
    const { methodResponses, ...rest } = response;
    const pieces = await packAnswer(methodResponses, {
      "@type": "Response",
      ...id === undefined ? {} : { requestId: id },
      ...rest,
      sessionState: sessionState(this.#s, this.#user),
    });
    this.#write(frame("text", ...pieces));
  }

  async #enable(m: Record<string, unknown>): Promise<void> {
    const parsed = v.safeParse(pushEnable, m);
    if (!parsed.success) throw new RequestError("notRequest", "dataTypes or pushState is wrong");
    const { dataTypes, pushState } = parsed.output;
    this.#watcher?.close();
    this.#watcher = undefined;
    const watcher = await Watcher.start(this.#s, this.#user, {
      types: dataTypes === null || dataTypes === undefined ? undefined : new Set(dataTypes),
      since: unpackStates(pushState ?? ""),
      tell: (changed: AllStates, all: AllStates) =>
        this.#send({ "@type": "StateChange", changed, pushState: packStates(all) }),
    });
    if (this.#gone.signal.aborted) watcher.close();
    else this.#watcher = watcher;
  }

  #send(value: unknown): void {
    this.#write(frame("text", encoder.encode(JSON.stringify(value))));
  }

  #write(bytes: Uint8Array): void {
    if (this.#gone.signal.aborted) return;
    if (this.#socket.writableLength > cutAbove) return this.#end();
    this.#socket.write(bytes);
  }

  /** Ends the connection with a status (RFC 6455 §7.4). */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.resume();
    this.#socket.end(closeFrame(code, reason));
    const timer = setTimeout(() => this.#end(), 2_000);
    Deno.unrefTimer(timer as unknown as number);
    this.#release();
  }

  #release(): void {
    for (const t of this.#timers) clearInterval(t);
    this.#share.end();
    this.#over();
    this.#gone.abort();
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#waiting = [];
    this.#reader.drop();
  }

  #end(): void {
    this.#release();
    this.#socket.destroy();
  }
}
