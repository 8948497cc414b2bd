/**
 * A Worker for large requests that makes room for a new one when it has read so much: what they leave behind in its
 * heap isn't collected before something else is asked of it, and goes with it.
 *
 * @module
 */
import { type WorkerClient, workerClient, type WorkerOptions } from "./worker.ts";

export interface RenewedWorkerOptions extends WorkerOptions {
  /** Bytes of requests after which the next one gets a new Worker. */
  mostBytes: number;
}

/** The side that asks. */
export interface RenewedWorker<Request, Answer> {
  /**
   * Sends a request, whose bytes are not copied where they are a buffer of their own: they are gone here.
   * @throws Error as {@link WorkerClient.ask} does
   */
  ask(request: Request, bytes: Uint8Array): Promise<Answer>;
  /** Requests without an answer. */
  waiting(): number;
}

/** Nothing is started yet. */
export function renewedWorker<Request, Answer>(
  options: RenewedWorkerOptions,
): RenewedWorker<Request, Answer> {
  let current = workerClient<Request, Answer>(options);
  let read = 0;
  /** Those that have answers to give still. */
  const leaving = new Set<WorkerClient<Request, Answer>>();
  return {
    async ask(request, bytes) {
      const asked = current;
      read += bytes.length;
      if (read >= options.mostBytes) {
        current = workerClient<Request, Answer>(options);
        read = 0;
        leaving.add(asked);
      }
      try {
        const { buffer } = bytes;
        const own = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
        return await asked.ask(request, own ? [buffer] : []);
      } finally {
        if (leaving.has(asked) && asked.waiting() === 0) {
          leaving.delete(asked);
          asked.stop();
        }
      }
    },
    waiting: () => [current, ...leaving].reduce((n, c) => n + c.waiting(), 0),
  };
}
