/** A message in transit. @module */
import type { ScanFindings } from "../../delivery/analysis_types.ts";
import type { SmtpSession, Transaction } from "../../smtp/server/mod.ts";
import type { Arrived } from "./arrived.ts";
import type { Sender } from "./sender.ts";

/** A message in transit, the same for all recipients. */
export interface Incoming {
  session: SmtpSession;
  transaction: Transaction;
  arrived: Arrived;
  sender: Sender;
  /** Undefined where no scanner was asked. */
  scans?: ScanFindings;
  /** Bytes, including the fields that will be put in front. */
  size: number;
  /** Ids of messages that scripts have sent because of it. */
  readonly sentBySieve: string[];
}
