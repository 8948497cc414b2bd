/**
 * Waiting for a client to read what was written.
 *
 * @module
 */
import type { EventEmitter } from "node:events";

/** Milliseconds that a client may leave an answer unread. */
export const writeTimeout = 60_000;

/** Waits for an event of a stream. @throws Error if it doesn't occur within so many milliseconds, or the stream is destroyed */
export function drainedBy(
  stream: EventEmitter & { readonly destroyed: boolean },
  timeout: number,
  event = "drain",
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (err?: Error) => {
      clearTimeout(timer);
      stream.off(event, ok);
      stream.off("close", gone);
      if (err) reject(err);
      else resolve();
    };
    const ok = () => done();
    const gone = () => done(new Error("client went away"));
    const timer = setTimeout(() => done(new Error("client does not read")), timeout);
    stream.on(event, ok);
    stream.on("close", gone);
    if (stream.destroyed) gone();
  });
}
