/**
 * Uncaught errors. Each connection and task catches its own; an error that gets
 * past all of them is a bug, and must not end a mail server.
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

/** Logs and counts them from here on, instead of ending the process. @returns function that stops it */
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
