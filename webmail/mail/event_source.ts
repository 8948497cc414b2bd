/**
 * Where the page's events come from: the stream that all pages of the browser share, or one of its own where the browser
 * has no such workers.
 *
 * @module
 */
import { call, CallError } from "../api/client.ts";
import { eventsUrl, type View } from "../api/mod.ts";
import { eventsWorker, type FromWorker, type ToWorker } from "../worker/messages.ts";

export interface SourceOptions {
  view: () => View;
  /** A value that the server told; what it is must be checked. */
  onValue: (value: unknown) => void;
  /** The connection has ended. */
  onBroken: () => void;
}

/** One connection. */
export interface EventsSource {
  close(): void;
}

/** Milliseconds between signs of life to the worker. */
const hereInterval = 30_000;

let worker: SharedWorker | undefined;
/** It could not be started. */
let failed = typeof SharedWorker !== "function";

/** Connects. */
export function connectEvents(options: SourceOptions): EventsSource {
  return failed ? ownSource(options) : sharedSource(options);
}

function ownSource(options: SourceOptions): EventsSource {
  const source = new EventSource(eventsUrl(options.view()));
  source.onerror = options.onBroken;
  source.onmessage = (m) => options.onValue(JSON.parse(m.data));
  return source;
}

/** A unique name; randomUUID needs HTTPS. */
function newName(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0"))
    .join("");
}

function sharedSource(options: SourceOptions): EventsSource {
  const page = newName();
  worker ??= new SharedWorker(eventsWorker.url, { name: eventsWorker.name });
  const { port } = worker;
  const say = (message: ToWorker) => port.postMessage(message);
  let open = true;

  const end = () => {
    open = false;
    clearInterval(here);
    port.removeEventListener("message", onMessage);
    worker?.removeEventListener("error", onError);
    globalThis.removeEventListener("pagehide", onHide);
  };
  const broken = () => {
    if (!open) return;
    end();
    options.onBroken();
  };
  const close = () => {
    if (!open) return;
    end();
    say({ kind: "close", page });
  };
  // A page restored from the browser's cache reconnects.
  const onHide = () => {
    close();
    globalThis.addEventListener("pageshow", options.onBroken, { once: true });
  };
  const join = async (stream: string) => {
    try {
      await call("EventsJoin", { stream, page, view: options.view() });
    } catch (err) {
      if (err instanceof CallError && err.code === "missing") say({ kind: "stale", page, stream });
      else if (open) say({ kind: "close", page });
      broken();
    }
  };
  const onMessage = (event: MessageEvent<FromWorker>) => {
    const message = event.data;
    if (message.page !== page) return;
    if (message.kind === "stream") void join(message.stream);
    else if (message.kind === "event") options.onValue(message.event);
    else broken();
  };
  const onError = () => {
    failed = true;
    broken();
  };
  const here = setInterval(() => say({ kind: "here", page }), hereInterval);
  port.addEventListener("message", onMessage);
  port.start();
  worker.addEventListener("error", onError);
  globalThis.addEventListener("pagehide", onHide, { once: true });
  say({ kind: "open", page });
  return { close };
}
