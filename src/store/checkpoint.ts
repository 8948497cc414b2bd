/**
 * Checkpoints in a Worker: moving a WAL into its database takes two fsyncs and many writes, which
 * would hold up every connection if done in the event loop.
 *
 * @module
 */
import type { CheckpointReply, CheckpointRequest } from "./checkpoint_worker.ts";

let worker: Worker | undefined;
let sequence = 0;
let idle: ReturnType<typeof setTimeout> | undefined;
const waiting = new Map<number, { resolve: () => void; reject: (err: Error) => void }>();

/** Milliseconds without work after which the Worker and its memory are let go. */
const idleTimeout = 30_000;

function start(): Worker {
  const w = new Worker(new URL("./checkpoint_worker.ts", import.meta.url), { type: "module" });
  w.onmessage = (e: MessageEvent<CheckpointReply>) => {
    const p = waiting.get(e.data.id);
    waiting.delete(e.data.id);
    if (e.data.error === undefined) p?.resolve();
    else p?.reject(new Error(e.data.error));
    if (waiting.size === 0) {
      idle = setTimeout(() => stopCheckpointWorker(), idleTimeout);
      Deno.unrefTimer(idle as unknown as number);
    }
  };
  w.onerror = (e) => {
    e.preventDefault();
    fail(new Error(`checkpoint worker: ${e.message}`));
  };
  return w;
}

/** Checkpoints the database with a connection of its own, without waiting for readers. */
export function checkpointInWorker(path: string): Promise<void> {
  clearTimeout(idle);
  worker ??= start();
  const id = ++sequence;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  waiting.set(id, { resolve, reject });
  worker.postMessage({ id, path } satisfies CheckpointRequest);
  return promise;
}

/** Ends the Worker, unless others wait for it; the next checkpoint starts a new one. */
export function stopCheckpointWorker(): void {
  if (waiting.size === 0) end();
}

function end(): void {
  clearTimeout(idle);
  worker?.terminate();
  worker = undefined;
}

/** What the Worker was to do fails, as it has ended. */
function fail(err: Error): void {
  end();
  for (const p of waiting.values()) p.reject(err);
  waiting.clear();
}
