/**
 * A Worker for large requests that is replaced after reading a given amount: garbage in its heap isn't
 * collected until the next request, and is freed with the Worker.
 *
 * @module
 */
import { type WorkerClient, workerClient, type WorkerOptions } from "./worker.ts";

export interface RenewedWorkerOptions extends WorkerOptions {
  /** Bytes of requests after which the next one gets a new Worker. */
  mostBytes: number;
}

/** The requesting side. */
export interface RenewedWorker<Request, Answer> {
  /**
   * Sends a request. Bytes with their own buffer are transferred, not copied, and are gone here.
   * @throws Error as {@link WorkerClient.ask} does
   */
  ask(request: Request, bytes: Uint8Array): Promise<Answer>;
  /** Number of requests without an answer. */
  waiting(): number;
}

/** Creates it; nothing is started yet. */
export function renewedWorker<Request, Answer>(
  options: RenewedWorkerOptions,
): RenewedWorker<Request, Answer> {
  let current = workerClient<Request, Answer>(options);
  let read = 0;
  /** Replaced Workers that still have answers to give. */
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
