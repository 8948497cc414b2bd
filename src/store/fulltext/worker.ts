/**
 * The Worker for indexing: one for all accounts, one account after the other.
 *
 * @module
 */
import { workerClient } from "../../platform/workers/worker.ts";
import type { IndexRequest } from "./index_worker.ts";

const worker = workerClient<IndexRequest, number>({
  name: "index",
  start: () => new Worker(new URL("./index_worker.ts", import.meta.url), { type: "module" }),
  idleTimeout: 10_000,
});

/** Indexes emails below an id; resolves with the id below which all are indexed. */
export function indexInWorker(request: IndexRequest): Promise<number> {
  return worker.ask(request);
}

/** Ends the Worker, unless others wait for it; the next request starts a new one. */
export function stopIndexWorker(): void {
  worker.stop();
}
