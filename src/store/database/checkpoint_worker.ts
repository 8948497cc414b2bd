/** The Worker side of checkpoint.ts. @module */
import { DatabaseSync } from "node:sqlite";
import { answerRequests } from "../../platform/workers/worker.ts";

answerRequests((path: string) => {
  const db = new DatabaseSync(path, { timeout: 1000 });
  try {
    db.exec("PRAGMA synchronous=NORMAL; PRAGMA wal_checkpoint(PASSIVE)");
  } finally {
    // Never the last connection: the requester's stays open until this has answered.
    db.close();
  }
});
