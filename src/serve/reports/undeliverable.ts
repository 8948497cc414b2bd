/** Pauses reports to addresses to which they can't be delivered. @module */
import type { OutgoingEvent } from "../../queue/mod.ts";
import type { DmarcEvaluations } from "../../reports/mod.ts";

/** Extra fields of report messages in the queue. */
export const reportExtra: Readonly<Record<string, string>> = { report: "yes" };

/** Milliseconds of the pause for such an address. */
const leftAlone = 30 * 24 * 3600_000;

/** Records the address of a report that failed permanently. */
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
