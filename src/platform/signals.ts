/** Requests to end the process. @module */
import { isWindows } from "./os.ts";

/** Names of the signals that request a graceful end, on this system. */
const endSignals: Deno.Signal[] = isWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];

/**
 * Calls the handler when the process is asked to end (control-C, `kill`, on Windows also closing the console
 * with control-break). Each signal calls it again, so that a second one can end immediately.
 * @returns function that stops listening.
 */
export function onShutdown(handler: (signal: string) => void): () => void {
  const listeners = endSignals.map((signal) => {
    const listener = () => handler(signal);
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const l of listeners) Deno.removeSignalListener(l.signal, l.listener);
  };
}
