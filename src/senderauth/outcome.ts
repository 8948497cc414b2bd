/** The outcome of all checks of one message. @module */
import type { ArcOutcome } from "./arc_verify.ts";
import type { DkimOutcome } from "./dkim_verify.ts";
import type { DmarcOutcome } from "./dmarc.ts";
import type { IprevOutcome } from "./iprev.ts";
import type { SpfOutcome } from "./spf.ts";

/** What is known of who sent a message. */
export interface SenderAuth {
  spf: SpfOutcome;
  /** Evaluated signatures from the top. */
  dkim: DkimOutcome[];
  /** Signatures past the limit, which were not looked at. */
  dkimSkipped: number;
  dmarc: DmarcOutcome;
  arc: ArcOutcome;
  iprev: IprevOutcome;
}
