/**
 * One event stream for all pages of a browser: over HTTP/1.1 a browser has six connections to a host, and a page with a
 * stream of its own would hold one of them each. A worker of the browser holds this one, and pages join it by its id.
 *
 * @module
 */
import type { Who } from "../services.ts";
import { aliveInterval, eventBytes, type ToldEvents } from "./event_stream.ts";

/** Times of {@link aliveInterval} without any page after which the stream ends. */
const lonely = 3;

/** An event that a page has made, waiting until the browser reads. */
interface Waiting {
  value: unknown;
  taken: () => void;
}

export class SharedStream {
  readonly id: string = crypto.randomUUID();
  readonly who: Pick<Who, "account" | "sessionId">;
  readonly #pages = new Map<string, ToldEvents>();
  readonly #waiting: Waiting[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(who: Pick<Who, "account" | "sessionId">) {
    this.who = who;
  }

  /** Sends the events of a page, under its name, from now on. */
  join(page: string, events: ToldEvents): void {
    if (this.#closed) return events.finish();
    this.leave(page);
    this.#pages.set(page, events);
    void this.#tell(page, events);
  }

  /** A page is gone. */
  leave(page: string): void {
    const events = this.#pages.get(page);
    this.#pages.delete(page);
    events?.finish();
  }

  /** Ends the stream, and what its pages are told. */
  close(): void {
    this.#closed = true;
    for (const page of [...this.#pages.keys()]) this.leave(page);
    for (const w of this.#waiting.splice(0)) w.taken();
    this.#wake?.();
  }

  /** Each page makes its next event once the previous one was taken: a slow browser costs no memory. */
  async #tell(page: string, events: ToldEvents): Promise<void> {
    try {
      for (;;) {
        const event = await events.next();
        if (event === undefined || this.#closed) break;
        await new Promise<void>((taken) => {
          this.#waiting.push({ value: { page, event }, taken });
          this.#wake?.();
        });
      }
    } catch {
      // It was reported to the page's own error handler.
    }
    if (this.#pages.get(page) !== events) return;
    this.#pages.delete(page);
    // A page whose events ended without notice connects again.
    this.#waiting.push({ value: { page, ended: true }, taken: () => {} });
    this.#wake?.();
  }

  /** The body of the answer. `onClose` runs once, when sending has ended. */
  stream(onClose: () => void): ReadableStream<Uint8Array> {
    let first = true;
    let silences = 0;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (first) {
          first = false;
          return controller.enqueue(eventBytes({ stream: this.id }));
        }
        const next = await this.#next();
        silences = next === undefined && this.#pages.size === 0 ? silences + 1 : 0;
        if (this.#closed || silences === lonely) {
          this.close();
          controller.close();
          return onClose();
        }
        controller.enqueue(eventBytes(next?.value ?? {}));
        next?.taken();
      },
      cancel: () => {
        this.close();
        onClose();
      },
    }, { highWaterMark: 0 });
  }

  /** The next item; undefined if there is none for a while. */
  async #next(): Promise<Waiting | undefined> {
    if (this.#waiting.length === 0 && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, aliveInterval);
      await promise;
      clearTimeout(timer);
      this.#wake = undefined;
    }
    return this.#waiting.shift();
  }
}

/** Streams of one account that are open at a time; the oldest ends for one more. */
const maxStreams = 50;

/** The open streams of all accounts. */
export class SharedStreams {
  readonly #open = new Map<string, SharedStream>();

  add(stream: SharedStream): void {
    const mine = [...this.#open.values()].filter((o) => o.who.account === stream.who.account);
    if (mine.length >= maxStreams) mine[0].close();
    this.#open.set(stream.id, stream);
  }

  remove(stream: SharedStream): void {
    this.#open.delete(stream.id);
  }

  /** The stream of a session. */
  find(who: Pick<Who, "account" | "sessionId">, id: string): SharedStream | undefined {
    const s = this.#open.get(id);
    return s?.who.account === who.account && s.who.sessionId === who.sessionId ? s : undefined;
  }

  /** Ends the streams of a session, once its pages have been told why. */
  endSession(account: string, sessionId: number): void {
    for (const s of this.#open.values()) {
      if (s.who.account === account && s.who.sessionId === sessionId) {
        setTimeout(() => s.close(), 1000);
      }
    }
  }
}
