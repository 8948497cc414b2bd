/**
 * The worker shared by all of the browser's pages: it holds their single event stream, and passes on to each page
 * what is meant for it. It lives as long as one of them does; a page that is closed or frozen doesn't affect the
 * others.
 *
 * @module
 */
import type { FromWorker, ToWorker } from "./messages.ts";

/**
 * Milliseconds without a sign of life from the server, or from a page (whose timers may be slow in the background).
 */
const silence = 60_000;
const pageSilence = 5 * 60_000;
const lookInterval = 60_000;

/** A page, by the name of its connection. */
interface PageOf {
  port: MessagePort;
  heard: number;
}

const pages = new Map<string, PageOf>();
let source: EventSource | undefined;
/** The stream's id, once the server has sent it. */
let stream: string | undefined;
let quiet: ReturnType<typeof setTimeout> | undefined;

function say(page: string, message: FromWorker): void {
  pages.get(page)?.port.postMessage(message);
}

/** Without a stream all pages have to connect again. */
function broken(): void {
  clearTimeout(quiet);
  source?.close();
  source = stream = undefined;
  const all = [...pages.keys()];
  for (const page of all) say(page, { kind: "broken", page });
  pages.clear();
}

function heard(): void {
  clearTimeout(quiet);
  quiet = setTimeout(broken, silence);
}

function connect(): void {
  source = new EventSource("events?shared");
  heard();
  source.onerror = broken;
  source.onmessage = (m) => {
    heard();
    const value = JSON.parse(m.data) as {
      stream?: string;
      page?: string;
      event?: unknown;
      ended?: boolean;
    };
    if (value.stream !== undefined) {
      stream = value.stream;
      for (const page of pages.keys()) say(page, { kind: "stream", page, stream });
    } else if (value.page !== undefined) {
      const { page, event, ended } = value;
      if (ended) {
        say(page, { kind: "broken", page });
        pages.delete(page);
      } else say(page, { kind: "event", page, event });
    }
  };
}

/** Removes a page. */
function leave(page: string): void {
  pages.delete(page);
  if (pages.size === 0) {
    clearTimeout(quiet);
    source?.close();
    source = stream = undefined;
  } else if (stream !== undefined) {
    // If this fails, the server keeps sending events that nobody needs until the stream ends.
    fetch("api/EventsLeave", {
      method: "POST",
      headers: { "content-type": "application/json", "x-mox-request": "1" },
      body: JSON.stringify({ stream, page }),
    }).catch(() => {});
  }
}

function from(port: MessagePort, message: ToWorker): void {
  const { page } = message;
  switch (message.kind) {
    case "open":
      pages.set(page, { port, heard: Date.now() });
      if (source === undefined) connect();
      else if (stream !== undefined) say(page, { kind: "stream", page, stream });
      break;
    case "close":
      leave(page);
      break;
    case "stale":
      pages.delete(page);
      if (message.stream === stream) broken();
      break;
    case "here": {
      const known = pages.get(page);
      if (known !== undefined) known.heard = Date.now();
      else port.postMessage({ kind: "broken", page } satisfies FromWorker);
    }
  }
}

globalThis.addEventListener("connect", (e) => {
  const [port] = (e as MessageEvent).ports;
  port.onmessage = (m: MessageEvent<ToWorker>) => from(port, m.data);
});
setInterval(() => {
  const gone = [...pages].filter(([, p]) => Date.now() - p.heard > pageSilence);
  for (const [page] of gone) leave(page);
}, lookInterval);
