/** One delivery: the attempt, the notifications, and recording the results. @module */
import { counter, histogram } from "../../metrics/mod.ts";
import { traced } from "../../platform/telemetry.ts";
import type { Db } from "../../store/database/database.ts";
import { isOverdue, overdue } from "../deliver_by.ts";
import { attempted, type Done, dsnEvents, outgoingEvent, owe } from "../events.ts";
import type { QueueFiles } from "../files.ts";
import { retire, suppressAfterFailure, suppressed, type Suppression } from "../retired.ts";
import { updateDestination } from "../rows.ts";
import type { Run } from "../scheduling/runs.ts";
import type {
  Attempt,
  Clock,
  OutgoingEvent,
  QueueItem,
  QueueMessage,
  QueueOptions,
  Result,
} from "../types.ts";

const results = counter("mox_queue_delivery_total", "Attempts to deliver, by result.", {
  result: ["delivered", "temporary", "permanent"],
});

/** With the name and labels that the original's alerting rules use. */
const durations = histogram(
  "mox_queue_delivery_duration_seconds",
  "Time of attempts to deliver to a recipient, by which attempt it was and what came of it.",
  ["attempt", "transport", "result"],
  [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60, 120],
);
const resultNames = { delivered: "ok", temporary: "temperror", permanent: "permerror" } as const;

/** Enhanced codes produced when our own end cuts a connection off. */
const cutOff = new Set(["4.3.0", "4.4.1", "4.4.2", "4.4.3"]);

/** What deliveries need. */
export interface Deliveries {
  db: Db;
  files: QueueFiles;
  options: QueueOptions;
  clock: Clock;
  /** Aborted at the end of the process. */
  stopping: AbortSignal;
  /** Called when the number of recipients in the queue has changed. */
  counted(change: number): void;
  /** Resolves when a result may be written: see turns.ts. */
  turn(): Promise<void>;
}

/** Delivers a message to recipients of one destination, which are leased for it. */
export async function deliver(
  deliveries: Deliveries,
  message: QueueMessage,
  items: readonly QueueItem[],
  run: Run,
): Promise<void> {
  // Those that have already failed are only here because their DSN is owed.
  const fresh = items.filter((i) => i.dsnOwed === 0);
  const refused = new Map<QueueItem, Suppression>();
  for (const i of fresh) {
    const s = suppressed(deliveries.db, message.senderAccount, i.address);
    if (s && !message.isDsn) refused.set(i, s);
  }
  const late = isOverdue(message, deliveries.clock.now());
  const tried = late ? [] : fresh.filter((i) => !refused.has(i));
  const outcome = await attempt(deliveries, message, tried, run);
  const dead = outcome.length > 0
    ? outcome.every((r) => r.kind === "temporary" && r.unreachable === true)
    : run.failing;
  await deliveries.turn();
  const now = deliveries.clock.now();
  const done: Done[] = items.filter((i) => i.dsnOwed > 0).map((item) => ({
    item,
    attempt: item.results[item.results.length - 1],
    wait: undefined,
    outcome: "failed",
    again: true,
  }));
  for (const [item, s] of refused) {
    const text = `address is on the suppression list of the account: ${s.reason}`;
    const r: Result = { kind: "permanent", code: 550, enhanced: "5.7.1", text };
    done.push({ ...noted(deliveries, message, item, r, now), outcome: "suppressed" });
  }
  if (late) {
    for (const item of fresh) {
      if (!refused.has(item)) done.push(noted(deliveries, message, item, overdue, now));
    }
  }
  for (const [i, item] of tried.entries()) {
    // An attempt cut off by the end of the process doesn't count.
    if (deliveries.stopping.aborted && outcome[i].kind === "temporary") release(deliveries, [item]);
    else done.push(noted(deliveries, message, item, outcome[i], now));
  }
  await tell(deliveries, message, done);
  if (done.length > 0) settle(deliveries, message, done, dead, now);
}

/** A result for each of the items, whatever happens. */
async function attempt(
  deliveries: Deliveries,
  message: QueueMessage,
  items: readonly QueueItem[],
  run: Run,
): Promise<Result[]> {
  if (items.length === 0) return [];
  const all = (text: string): Result[] =>
    items.map(() => ({ kind: "temporary", code: 451, enhanced: "4.3.0", text }));
  let outcome: readonly Result[];
  const started = performance.now();
  try {
    outcome = await traced("queue.deliver", {
      "mox.queue.id": message.id,
      "mox.account": message.senderAccount,
      "mox.destination": items[0].domain,
      "mox.recipients": items.length,
      "mox.attempt": items[0].attempts + 1,
    }, async (span) => {
      const results = await deliveries.options.deliverer.deliver(
        message,
        items,
        run.signal,
        run.progress,
      );
      const bad = results.find((r) => r.kind !== "delivered");
      if (bad) span.fail(`${bad.code} ${bad.enhanced} ${bad.text}`);
      return results;
    });
  } catch (err) {
    if (!deliveries.stopping.aborted && !run.madeRoom) {
      deliveries.options.log.error("delivering", { err: err as Error, id: message.id });
    }
    outcome = all(err instanceof Error ? err.message : String(err));
  }
  const seconds = (performance.now() - started) / 1000;
  return items.map((item, i): Result => {
    const r = outcome[i] ?? all("no result")[i];
    durations.observe({
      attempt: String(item.attempts + 1),
      transport: item.transport ?? "",
      result: resultNames[r.kind],
    }, seconds);
    // The server's own answer is kept.
    if (!run.madeRoom || r.kind !== "temporary" || !cutOff.has(r.enhanced)) return r;
    // As for a dead destination: next time it must not take the place of others either.
    const text = "the server was silent while other messages waited";
    return { ...r, code: 451, enhanced: "4.4.1", text, unreachable: true };
  });
}

/** Sends DSNs and calls webhooks. */
async function tell(
  deliveries: Deliveries,
  message: QueueMessage,
  done: readonly Done[],
): Promise<void> {
  const { log, onDsn } = deliveries.options;
  for (const event of dsnEvents(message, done)) {
    try {
      await onDsn(event);
    } catch (err) {
      log.error("making DSN", { err: err as Error, id: message.id, kind: event.action });
      if (event.action === "failed") owe(done, event, log);
    }
  }
  for (const d of done) {
    const event = outgoingEvent(message, d);
    if (event) await tellOf(deliveries.options, event);
  }
}

/** Reports an event; failures are logged. */
export async function tellOf(options: QueueOptions, event: OutgoingEvent): Promise<void> {
  try {
    await options.onEvent?.(event);
  } catch (err) {
    options.log.error("telling of delivery", { err: err as Error, id: event.item.id });
  }
}

/** Notes a result in the item; returns when to try again. */
function noted(
  deliveries: Deliveries,
  message: QueueMessage,
  item: QueueItem,
  result: Result,
  now: number,
): Done {
  results.inc({ result: result.kind });
  const done = attempted(item, result, now, deliveries.clock.random(), message.deliverBy);
  const { attempt, wait } = done;
  deliveries.options.log.info(
    result.kind === "delivered" ? "delivered from queue" : "delivery failed",
    {
      id: item.id,
      to: item.address,
      kind: result.kind,
      attempt: item.attempts,
      code: attempt.code,
      text: attempt.text,
      remote: attempt.remoteMta,
      retry: wait === undefined ? undefined : new Date(now + wait),
    },
  );
  return done;
}

/** Records the results of the items, and whether their destination is dead. */
function settle(
  deliveries: Deliveries,
  message: QueueMessage,
  done: readonly Done[],
  dead: boolean,
  now: number,
): void {
  const { db } = deliveries;
  let gone = 0;
  db.transaction(() => {
    for (const { item, wait, outcome, unreachable, attempt } of done) {
      if (wait === undefined) {
        retireItem(deliveries, message, item, outcome, attempt, now);
        gone += db.run("DELETE FROM recipients WHERE id = ?", item.id).changes;
      } else {
        db.run(
          "UPDATE recipients SET attempts = ?, next_attempt = ?, leased = 0, results = ?, " +
            "dsn_owed = ?, unreachable = ? WHERE id = ?",
          item.attempts,
          now + wait,
          JSON.stringify(item.results),
          item.dsnOwed,
          unreachable ? 1 : 0,
          item.id,
        );
      }
    }
    updateDestination(db, done[0].item.domain, done[0].item.priority, dead);
    deliveries.files.eraseIfDone(message.id);
  });
  deliveries.counted(-gone);
  deliveries.files.settled();
}

/**
 * Keeps a recipient that leaves the queue, in the transaction that removes it, if its account is configured so.
 */
export function retireItem(
  q: Pick<Deliveries, "db" | "options">,
  message: QueueMessage,
  item: QueueItem,
  outcome: Done["outcome"],
  attempt: Attempt,
  now: number,
): void {
  const { retiredPeriod, log } = q.options;
  const period = retiredPeriod?.(message.senderAccount) ?? 0;
  if (period <= 0 || outcome === undefined) return;
  if (outcome === "failed") {
    const reason = suppressAfterFailure(q.db, message.senderAccount, item, attempt, now);
    if (reason) log.info("suppressing recipient", { to: item.address, reason });
  }
  retire(q.db, message, item, outcome, now, period);
}

function release(deliveries: Deliveries, items: readonly QueueItem[]): void {
  deliveries.db.transaction(() => {
    for (const i of items) deliveries.db.run("UPDATE recipients SET leased = 0 WHERE id = ?", i.id);
    updateDestination(deliveries.db, items[0].domain, items[0].priority);
  });
}
