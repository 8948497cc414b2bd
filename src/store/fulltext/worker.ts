/**
 * The Worker that indexes, one for all accounts, one account after the other.
 *
 * @module
 */
import type { IndexReply, IndexRequest } from "./index_worker.ts";

let worker: Worker | undefined;
let sequence = 0;
let idle: ReturnType<typeof setTimeout> | undefined;
const waiting = new Map<number, { resolve: (below: number) => void; reject: (e: Error) => void }>();

/** Milliseconds without work after which the Worker and its memory are let go. */
const idleTimeout = 10_000;

function start(): Worker {
  const w = new Worker(new URL("./index_worker.ts", import.meta.url), { type: "module" });
  w.onmessage = (e: MessageEvent<IndexReply>) => {
    const { id, below, error } = e.data;
    const p = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) p?.resolve(below);
    else p?.reject(new Error(error));
    if (waiting.size === 0) {
      idle = setTimeout(() => stopIndexWorker(), idleTimeout);
      Deno.unrefTimer(idle as unknown as number);
    }
  };
  w.onerror = (e) => {
    e.preventDefault();
    fail(new Error(`index worker: ${e.message}`));
  };
  return w;
}

/** Indexes emails below an id; resolves with the id below which all are. */
export function indexInWorker(request: Omit<IndexRequest, "id">): Promise<number> {
  clearTimeout(idle);
  worker ??= start();
  const id = ++sequence;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  waiting.set(id, { resolve, reject });
  worker.postMessage({ id, ...request });
  return promise;
}

/** Ends the Worker, unless others wait for it; the next request starts a new one. */
export function stopIndexWorker(): void {
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
