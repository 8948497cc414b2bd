/**
 * How metrics developed over the last hours: each sum of series is sampled at intervals, and a number of values
 * is kept. For people who look at a page; monitoring proper scrapes the metrics themselves.
 *
 * @module
 */
import { registry } from "./mod.ts";

/** Something to follow: the sum of the values of a metric whose labels match. */
export interface Followed {
  metric: string;
  /** Undefined for all of its series. */
  fits?: (labels: Readonly<Record<string, string | number>>) => boolean;
}

/** Milliseconds between two samples. */
export const historyStep = 5 * 60_000;
/** Values that are kept: those of one day. */
export const historyLength = 288;

export interface HistoryOptions {
  /** Milliseconds. */
  step?: number;
  length?: number;
}

/** Values over time. */
export class MetricsHistory<Name extends string> {
  readonly step: number;
  readonly #length: number;
  readonly #followed: [Name, Followed][];
  readonly #values = new Map<Name, number[]>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(followed: Record<Name, Followed>, options: HistoryOptions = {}) {
    this.step = options.step ?? historyStep;
    this.#length = options.length ?? historyLength;
    this.#followed = Object.entries(followed) as [Name, Followed][];
    for (const [name] of this.#followed) this.#values.set(name, []);
  }

  /** Samples now, and at intervals until `stop`. */
  async start(): Promise<void> {
    await this.look();
    // A failed sample leaves a gap of one value; there is nobody to report it to.
    this.#timer = setInterval(() => void this.look().catch(() => {}), this.step);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Samples the current values. */
  async look(): Promise<void> {
    const now = await this.values();
    for (const [name, list] of this.#values) {
      list.push(now[name]);
      if (list.length > this.#length) list.shift();
    }
  }

  /** The current values. */
  async values(): Promise<Record<Name, number>> {
    const metrics = new Map((await registry.getMetricsAsJSON()).map((m) => [m.name, m]));
    const sums = {} as Record<Name, number>;
    for (const [name, f] of this.#followed) {
      sums[name] = 0;
      for (const v of metrics.get(f.metric)?.values ?? []) {
        const labels = v.labels as Record<string, string | number>;
        if (f.fits === undefined || f.fits(labels)) sums[name] += v.value;
      }
    }
    return sums;
  }

  /** Values at each sample, the oldest first. */
  levels(name: Name): readonly number[] {
    return this.#values.get(name)!;
  }

  /** How much was added between two samples, and since the last one up to `now`; for counters. */
  rises(name: Name, now: number): number[] {
    const list = [...this.#values.get(name)!, now];
    return list.slice(1).map((v, i) => Math.max(0, v - list[i]));
  }
}
