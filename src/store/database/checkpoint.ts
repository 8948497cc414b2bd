/**
 * Checkpoints in a Worker: moving a WAL into its database takes two fsyncs and many writes, which
 * would hold up every connection if done in the event loop.
 *
 * @module
 */
import { workerClient } from "../../platform/workers/worker.ts";

const worker = workerClient<string, void>({
  name: "checkpoint",
  start: () => new Worker(new URL("./checkpoint_worker.ts", import.meta.url), { type: "module" }),
  idleTimeout: 30_000,
});

/** Checkpoints the database with its own connection, without waiting for readers. */
export function checkpointInWorker(path: string): Promise<void> {
  return worker.ask(path);
}

/** Ends the Worker, unless others wait for it; the next checkpoint starts a new one. */
export function stopCheckpointWorker(): void {
  worker.stop();
}
