/** Metrics of sender authentication. @module */
import { counter, histogram } from "../metrics/mod.ts";
import type { SenderAuth } from "./outcome.ts";

const results = counter(
  "mox_senderauth_total",
  "Checks of incoming messages by method and result; one for each DKIM signature.",
  {
    method: ["iprev", "spf", "dkim", "dmarc", "arc"],
    result: [
      "none",
      "neutral",
      "pass",
      "fail",
      "softfail",
      "policy",
      "temperror",
      "permerror",
    ],
  },
);

const duration = histogram(
  "mox_senderauth_duration_seconds",
  "Time for all checks of a message, lookups included.",
  [],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20],
);

/** Counts the results of a message and its time in milliseconds. */
export function countResults(auth: SenderAuth, elapsedMs: number): void {
  results.inc({ method: "iprev", result: auth.iprev.result });
  results.inc({ method: "spf", result: auth.spf.result });
  for (const d of auth.dkim) results.inc({ method: "dkim", result: d.status });
  if (auth.dkim.length === 0) results.inc({ method: "dkim", result: "none" });
  results.inc({ method: "dmarc", result: auth.dmarc.result });
  results.inc({ method: "arc", result: auth.arc.result });
  duration.observe(elapsedMs / 1000);
}
