/** The outcome of all checks of one message. @module */
import type { ArcOutcome } from "./arc_verify.ts";
import type { DkimOutcome } from "./dkim_verify.ts";
import type { DmarcOutcome } from "./dmarc.ts";
import type { IprevOutcome } from "./iprev.ts";
import type { SpfOutcome } from "./spf.ts";

/** The results about who sent a message. */
export interface SenderAuth {
  spf: SpfOutcome;
  /** Evaluated signatures from the top. */
  dkim: DkimOutcome[];
  /** Number of signatures beyond the limit, which were not checked. */
  dkimSkipped: number;
  dmarc: DmarcOutcome;
  arc: ArcOutcome;
  iprev: IprevOutcome;
}
