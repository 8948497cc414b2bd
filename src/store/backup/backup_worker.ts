/** The Worker side of worker.ts. @module */
import { backupData, BackupError } from "./copy.ts";
import { verifyData } from "./verify.ts";
import type { WorkerReply, WorkerRequest } from "./worker.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => Promise<void>;
  postMessage(reply: WorkerReply): void;
};

scope.onmessage = async (e) => {
  const report = (text: string) => scope.postMessage({ kind: "line", text });
  try {
    if (e.data.kind === "backup") {
      scope.postMessage({ kind: "counts", counts: await backupData(e.data.options, report) });
    } else {
      scope.postMessage({ kind: "faults", faults: verifyData(e.data.dir, e.data.fix, report) });
    }
  } catch (err) {
    scope.postMessage({
      kind: "error",
      message: err instanceof Error ? err.message : String(err),
      expected: err instanceof BackupError,
    });
  }
};
