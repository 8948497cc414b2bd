/**
 * Live notification: websocket events, and requests that wait for a message.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Listener } from "../../store/types.ts";
import { Allowance, type WebRequest } from "../http/mod.ts";
import type { CaughtMail } from "./box.ts";
import { summaryForm } from "./message.ts";

/** Open websockets; more are refused. */
const maxSockets = 200;
/** Bytes that a socket may leave unread before it is closed. */
const maxUnread = 4 * 1024 * 1024;
/** Pings that a client may send in a burst, and per second; a client that sends more is disconnected. */
const mostPings = 1000;
const pingsEachSecond = 10;
/** Milliseconds between two messages about counts. */
const statsPause = 250;

type Socket = {
  readonly bufferedAmount: number;
  send(text: string): void;
  terminate(): void;
  close(code: number): void;
  pong(data: Uint8Array): void;
  on(event: "message" | "close" | "error", fn: () => void): void;
  on(event: "ping", fn: (data: Uint8Array) => void): void;
};

/** Follows the accounts and notifies listeners. */
export class LiveMail {
  readonly #mail: CaughtMail;
  readonly #version: string;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: 64 * 1024,
    // Clients have nothing to say: the library's 131,072 parts of a message would hold 13 MB for each (CVE-2026-48779).
    maxFragments: 100,
    maxBufferedChunks: 1000,
    // The library answers any number of pings, even if its answers aren't read.
    autoPong: false,
  });
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();
  readonly #followed = new Map<string, Listener>();
  readonly #stop = new AbortController();
  #statsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(mail: CaughtMail, version: string) {
    this.#mail = mail;
    this.#version = version;
  }

  /** Follows accounts that are not followed yet. */
  async follow(): Promise<void> {
    for (const account of await this.#mail.accounts()) {
      if (this.#followed.has(account.name) || this.#stop.signal.aborted) continue;
      const listener = account.listen();
      this.#followed.set(account.name, listener);
      this.#run(account.name, listener);
    }
  }

  async #run(name: string, listener: Listener): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await listener.wait(this.#stop.signal);
      if (this.#stop.signal.aborted) break;
      const account = (await this.#mail.accounts()).find((a) => a.name === name);
      if (account === undefined) break;
      const shown = new Set(this.#mail.mailboxes(account).map((m) => m.id));
      let changed = false;
      for (const c of listener.take()) {
        if (!("mailboxId" in c) || !shown.has(c.mailboxId)) continue;
        changed = true;
        if (c.kind === "addMessage" && this.#sockets.size > 0) {
          const m = account.message(c.messageId);
          const Data = m && summaryForm(this.#mail, { account, ...m });
          if (Data) this.#send({ Type: "new", Data });
        } else if (c.kind === "removeMessages") {
          this.#send({ Type: "prune", Data: null });
        }
      }
      if (!changed) continue;
      for (const wake of [...this.#waiters]) wake();
      this.#statsSoon();
    }
    listener.close();
  }

  #statsSoon(): void {
    if (this.#sockets.size === 0 || this.#statsTimer !== undefined) return;
    this.#statsTimer = setTimeout(async () => {
      this.#statsTimer = undefined;
      const { total, unread } = await this.#mail.counts();
      this.#send({ Type: "stats", Data: { Total: total, Unread: unread, Version: this.#version } });
    }, statsPause);
  }

  #send(event: { Type: string; Data: unknown }): void {
    const text = JSON.stringify(event);
    for (const s of this.#sockets) {
      if (s.bufferedAmount > maxUnread) s.terminate();
      else s.send(text);
    }
  }

  /** Takes over the connection of a request for a websocket. */
  async upgrade(req: WebRequest, socket: Duplex, head: Uint8Array): Promise<void> {
    if (this.#sockets.size >= maxSockets) {
      socket.end(
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      );
      return;
    }
    await this.follow();
    this.#server.handleUpgrade(req.raw!, socket, head, (ws: Socket) => {
      this.#sockets.add(ws);
      const gone = () => this.#sockets.delete(ws);
      ws.on("close", gone);
      ws.on("error", gone);
      // Clients don't send messages.
      ws.on("message", () => {});
      const pings = new Allowance(mostPings, pingsEachSecond);
      ws.on("ping", (data) => pings.use() ? ws.pong(data) : ws.terminate());
      req.stopping.addEventListener("abort", () => ws.close(1001));
      this.#statsSoon();
    });
  }

  /** Resolves at the next change, or when the time is over or the signal is aborted. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    await this.follow();
    if (signal.aborted || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
      signal.addEventListener("abort", done);
    });
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#statsTimer);
    for (const s of this.#sockets) s.terminate();
    for (const wake of [...this.#waiters]) wake();
    this.#server.close();
  }
}
