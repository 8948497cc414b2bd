/**
 * Sanitising without holding up the event loop: small texts are done at once, others in a Worker, which
 * is ended if it takes too long.
 *
 * @module
 */
import { workerQueue } from "../../../platform/workers/worker_queue.ts";
import { type Sanitized, sanitizeMessageHtml } from "./sanitize.ts";
import type { SanitizeRequest } from "./sanitize_worker.ts";

/** Characters of HTML that take some milliseconds. */
const smallHtml = 20_000;

const worker = workerQueue<SanitizeRequest, Sanitized>({
  name: "sanitize",
  start: () => new Worker(new URL("./sanitize_worker.ts", import.meta.url), { type: "module" }),
  // Starting it takes some tenths of a second.
  idleTimeout: 600_000,
  // One that takes as long as it may leaves the other to all others.
  workers: 2,
  // The largest texts that are shown take one second.
  timeLimit: 10_000,
  maxWaitingOfOne: 50,
  maxWaiting: 1000,
});

/** Whether the Worker can be started, and finds what it imports. @throws Error as the Worker fails */
export async function trySanitizeWorker(): Promise<void> {
  await worker.ask("", { html: "<p>", inline: new Map(), external: false });
}

/** Ends the Worker; its pending texts are refused. */
export function stopSanitizeWorker(): void {
  worker.stop("stopped");
}

/** As {@link sanitizeMessageHtml}, for a view of an account. @throws Error if it takes too long, or the Worker fails */
export function sanitizeSoon(
  account: string,
  html: string,
  o: Omit<SanitizeRequest, "html">,
): Promise<Sanitized> {
  if (html.length > smallHtml) return worker.ask(account, { html, ...o });
  return Promise.resolve(
    sanitizeMessageHtml(html, { ...o, inline: (cid) => o.inline.get(cid) }),
  );
}
