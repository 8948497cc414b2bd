/** Runs a backup, or the check of one, in its own Worker. @module */
import type { BackupCounts, BackupOptions } from "./copy.ts";
import { BackupError } from "./copy.ts";
import type { Fault } from "./verify.ts";

/** A request to the Worker. */
export type WorkerRequest =
  | { kind: "backup"; options: BackupOptions }
  | { kind: "verify"; dir: string; fix: boolean };

/** A message from the Worker. */
export type WorkerReply =
  | { kind: "line"; text: string }
  | { kind: "counts"; counts: BackupCounts }
  | { kind: "faults"; faults: Fault[] }
  | { kind: "error"; message: string; expected: boolean };

function run(request: WorkerRequest, report: (text: string) => void): Promise<WorkerReply> {
  const worker = new Worker(new URL("./backup_worker.ts", import.meta.url), { type: "module" });
  return new Promise<WorkerReply>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<WorkerReply>) => {
      const m = event.data;
      if (m.kind === "line") return report(m.text);
      if (m.kind === "error") reject(new (m.expected ? BackupError : Error)(m.message));
      else resolve(m);
    };
    worker.onerror = (e) => {
      e.preventDefault();
      reject(new Error(`backup worker: ${e.message}`));
    };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

/** Copies a data folder; see copy.ts. `say` gets lines of progress. */
export async function backupInWorker(
  options: BackupOptions,
  report: (text: string) => void,
): Promise<BackupCounts> {
  const r = await run({ kind: "backup", options }, report);
  return (r as WorkerReply & { kind: "counts" }).counts;
}

/** Checks a data folder that no server uses; see verify.ts. */
export async function verifyInWorker(
  dir: string,
  fix: boolean,
  report: (text: string) => void,
): Promise<Fault[]> {
  const r = await run({ kind: "verify", dir, fix }, report);
  return (r as WorkerReply & { kind: "faults" }).faults;
}
