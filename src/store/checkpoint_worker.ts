/** The Worker side of checkpoint.ts. @module */
import { DatabaseSync } from "node:sqlite";

export interface CheckpointRequest {
  id: number;
  path: string;
}
export interface CheckpointReply {
  id: number;
  error?: string;
}

const scope = self as unknown as {
  onmessage: (e: MessageEvent<CheckpointRequest>) => void;
  postMessage(m: CheckpointReply): void;
};

scope.onmessage = (e) => {
  const { id, path } = e.data;
  try {
    const db = new DatabaseSync(path, { timeout: 1000 });
    try {
      db.exec("PRAGMA synchronous=NORMAL; PRAGMA wal_checkpoint(PASSIVE)");
    } finally {
      // Never the last connection: the one that asked stays open until this has answered.
      db.close();
    }
    scope.postMessage({ id });
  } catch (err) {
    scope.postMessage({ id, error: err instanceof Error ? err.message : String(err) });
  }
};
