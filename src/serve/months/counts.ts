/**
 * How much mail each domain had in each month, for its report. The figures are written every few minutes and at shutdown;
 * a crash loses those of the last minutes.
 *
 * @module
 */
import { record, safeParse } from "valibot";
import * as v from "valibot";
import { Log } from "../../log/mod.ts";
import { writeFileAtomic } from "../../platform/files.ts";

const log = new Log("months");
/** Milliseconds between writes. */
const writeEvery = 5 * 60_000;
/** Months that are kept. */
const maxMonths = 13;

const figures = v.object({
  /** Messages received, by recipient; how many of them were refused. */
  received: v.number(),
  refused: v.number(),
  /** Messages sent by users, and their recipients. */
  sent: v.number(),
  recipients: v.number(),
});
/** Figures of a domain in a month. */
export type MonthFigures = v.InferOutput<typeof figures>;

const fileSchema = v.object({
  months: record(v.string(), record(v.string(), figures)),
  reported: record(v.string(), v.array(v.string())),
});

/** The month of a time, in UTC, such as "2026-11". */
export const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

/** The preceding month. */
export function monthBefore(month: string): string {
  const [year, number] = month.split("-").map(Number);
  return monthOf(Date.UTC(year, number - 2, 1));
}

export const noFigures: MonthFigures = { received: 0, refused: 0, sent: 0, recipients: 0 };

/** The figures of a server. */
export class MonthCounts {
  readonly #path: string;
  readonly #now: () => number;
  #months: Record<string, Record<string, MonthFigures>> = {};
  /** Domains whose report for a month was sent. */
  #reported: Record<string, string[]> = {};
  #changed = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** Reads earlier figures; if the file can't be read, starts from zero and logs it. */
  static async open(path: string, now: () => number = Date.now): Promise<MonthCounts> {
    const counts = new MonthCounts(path, now);
    try {
      const parsed = safeParse(fileSchema, JSON.parse(await Deno.readTextFile(path)));
      if (!parsed.success) throw new Error(parsed.issues[0].message);
      counts.#months = parsed.output.months;
      counts.#reported = parsed.output.reported;
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) {
        log.error("figures of months can't be read, and begin anew", { err: err as Error, path });
      }
    }
    counts.#timer = setInterval(() => {
      if (counts.#changed) {
        counts.write().catch((err) => log.error("writing figures of months", { err, path }));
      }
    }, writeEvery);
    Deno.unrefTimer(counts.#timer as unknown as number);
    return counts;
  }

  #of(domain: string): MonthFigures {
    const month = this.#months[monthOf(this.#now())] ??= {};
    this.#changed = true;
    return month[domain] ??= { ...noFigures };
  }

  /** Counts a message received for a recipient in a local domain. */
  received(domain: string, refused: boolean): void {
    const f = this.#of(domain);
    f.received++;
    if (refused) f.refused++;
  }

  /** Counts a message sent by a user. */
  sent(domain: string, recipients: number): void {
    const f = this.#of(domain);
    f.sent++;
    f.recipients += recipients;
  }

  of(month: string, domain: string): MonthFigures {
    return this.#months[month]?.[domain] ?? noFigures;
  }

  wasReported(month: string, domain: string): boolean {
    return this.#reported[month]?.includes(domain) ?? false;
  }

  /** Records that the report was sent; durable when it resolves. */
  async setReported(month: string, domain: string): Promise<void> {
    (this.#reported[month] ??= []).push(domain);
    await this.write();
  }

  /** Durable when it resolves. */
  write(): Promise<void> {
    const write = async () => {
      this.#changed = false;
      for (const all of [this.#months, this.#reported]) {
        for (const month of Object.keys(all).sort().slice(0, -maxMonths)) delete all[month];
      }
      const text = JSON.stringify({ months: this.#months, reported: this.#reported });
      await writeFileAtomic(this.#path, new TextEncoder().encode(`${text}\n`));
    };
    return this.#writing = this.#writing.catch(() => {}).then(write);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#changed) await this.write();
    await this.#writing;
  }
}
