/** Addresses that our reports can't be delivered to get none for a while. @module */
import type { OutgoingEvent } from "../../queue/mod.ts";
import type { DmarcEvaluations } from "../../reports/mod.ts";

/** What messages with reports have with them in the queue. */
export const reportExtra: Readonly<Record<string, string>> = { report: "yes" };

/** Milliseconds for which such an address is left alone. */
const leftAlone = 30 * 24 * 3600_000;

/** Notes the address of a report that failed for good. */
export function noteUndeliverable(
  evaluations: DmarcEvaluations,
  event: OutgoingEvent,
  now: number,
): void {
  if (event.kind !== "failed" || !event.message.isDsn || event.message.extra.report === undefined) {
    return;
  }
  const { code, enhanced, text } = event.attempt;
  evaluations.suppress(
    event.item.address,
    now + leftAlone,
    `${code} ${enhanced} ${text}`.slice(0, 300),
  );
}
