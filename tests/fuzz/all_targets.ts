/** Every fuzz target, by its name. @module */
import { type Target, targets } from "./targets.ts";
import { davTargets } from "./targets_dav.ts";
import { exchangeTargets } from "./targets_exchange.ts";
import { fileTargets } from "./targets_files.ts";
import { sieveTargets } from "./targets_sieve.ts";
import { signatureTargets } from "./targets_signatures.ts";

export const allTargets: Record<string, Target> = {
  ...targets,
  ...davTargets,
  ...exchangeTargets,
  ...fileTargets,
  ...sieveTargets,
  ...signatureTargets,
};
