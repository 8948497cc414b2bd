/**
 * Errors that nothing else caught. Each connection and task has a place that catches its own; what gets
 * past all of them is a mistake in the program, and must not end a mail server.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import { countPanic } from "../metrics/mod.ts";

function report(log: Log, what: string, error: unknown): void {
  countPanic("serve");
  const err = error instanceof Error ? error : new Error(String(error));
  log.error(what, { err, stack: err.stack });
}

/** Logs and counts them from here on, in place of ending the process. @returns function that ends it */
export function catchPanics(log: Log): () => void {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    report(log, "unhandled rejection", event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    report(log, "unhandled error", event.error ?? event.message);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}
