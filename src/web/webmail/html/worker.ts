/**
 * Sanitising without holding up the event loop: small texts are done at once, others in a Worker, which
 * is ended if it takes too long.
 *
 * @module
 */
import { type Sanitized, sanitizeMessageHtml } from "./sanitize.ts";
import type { SanitizeReply, SanitizeRequest } from "./sanitize_worker.ts";

/** Characters of HTML that take some milliseconds. */
const smallHtml = 20_000;
/** Milliseconds for one text. */
const timeLimit = 20_000;
/** Milliseconds without work after which the Worker is let go: starting it takes some tenths of a second. */
const idleTime = 600_000;

/** A text took too long, or the Worker failed. */
export class SanitizeError extends Error {
  override name = "SanitizeError";
}

interface Waiting {
  resolve(s: Sanitized): void;
  reject(err: Error): void;
}

let worker: Worker | undefined;
let sequence = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const waiting = new Map<number, Waiting>();

/** Ends the Worker; texts that it had are refused. */
export function stopSanitizeWorker(why = "stopped"): void {
  clearTimeout(timer);
  worker?.terminate();
  worker = undefined;
  for (const w of waiting.values()) w.reject(new SanitizeError(why));
  waiting.clear();
}

function start(): Worker {
  const w = new Worker(new URL("./sanitize_worker.ts", import.meta.url), { type: "module" });
  w.onmessage = (e: MessageEvent<SanitizeReply>) => {
    const { id, result, error } = e.data;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (result !== undefined) asked?.resolve(result);
    else asked?.reject(new SanitizeError(error));
    watch();
  };
  w.onerror = (e) => {
    e.preventDefault();
    stopSanitizeWorker(e.message);
  };
  return w;
}

/** One thing done: time begins again for the next, or for letting go. */
function watch(): void {
  clearTimeout(timer);
  timer = waiting.size > 0
    ? setTimeout(() => stopSanitizeWorker("the HTML takes too long to look through"), timeLimit)
    : setTimeout(() => stopSanitizeWorker(), idleTime);
  Deno.unrefTimer(timer as unknown as number);
}

/** As {@link sanitizeMessageHtml}. @throws SanitizeError */
export function sanitizeSoon(
  html: string,
  o: { external: boolean; inline: Map<string, string> },
): Promise<Sanitized> {
  if (html.length <= smallHtml) {
    return Promise.resolve(
      sanitizeMessageHtml(html, { external: o.external, inline: (cid) => o.inline.get(cid) }),
    );
  }
  worker ??= start();
  const id = ++sequence;
  const { promise, resolve, reject } = Promise.withResolvers<Sanitized>();
  waiting.set(id, { resolve, reject });
  if (waiting.size === 1) watch();
  worker.postMessage({ id, html, ...o } satisfies SanitizeRequest);
  return promise;
}
