/** What was decided about a message. @module */
import type { Account as AccountConfig } from "../../config/mod.ts";
import type { Decision } from "../../delivery/analysis_types.ts";
import type { Target } from "../arrival/plan.ts";

/** The decision for one account that a recipient leads to. Accounts aren't held open: there may be thousands. */
export interface Decided {
  target: Target;
  conf: AccountConfig;
  decision: Decision;
  prefix: Uint8Array;
}
