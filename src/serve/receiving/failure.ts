/** SMTP answers for problems with a mailbox. @module */
import { counter } from "../../metrics/mod.ts";
import type { Log } from "../../log/mod.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { StoreError } from "../../store/types.ts";

/** Named as in the original's alerting rules. */
const smtpErrors = counter(
  "mox_smtpserver_errors_total",
  "Faults of this server while it took messages.",
  { error: ["deliver"] },
);

/** The answer for an error of the store. */
export function storeFailure(err: unknown, log: Log): SmtpError {
  if (err instanceof SmtpError) return err;
  if (err instanceof StoreError && err.code === "overQuota") {
    const field = /\((\w+)\)$/.exec(err.message)?.[1] ?? "QuotaMessageSize";
    return new SmtpError(452, "2.2", `mailbox is full, its limit is set by ${field}`);
  }
  if (err instanceof StoreError && err.code === "busy") {
    return new SmtpError(451, "3.2", err.message);
  }
  smtpErrors.inc({ error: "deliver" });
  log.error("delivering message", { err: err as Error });
  if (isStorageFull(err)) return new SmtpError(452, "3.1", "insufficient system storage");
  return new SmtpError(451, "3.0", "could not store the message, try again later");
}
