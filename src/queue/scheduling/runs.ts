/**
 * The deliveries under way: how many, to whom, and which of them wait for a server that is silent.
 *
 * A delivery that hears nothing for a moment, in whatever phase, takes no place of one that works. If even
 * the places of those that wait are taken and a message is due for a destination that isn't known to be
 * dead, the one that has waited longest has to go: it is tried again later.
 *
 * @module
 */
import type { Running } from "./due.ts";
import type { Progress } from "../../smtp/client/mod.ts";
import type { Clock } from "../types.ts";

/**
 * Milliseconds without a word after which a delivery no longer counts as one that works: if its server has
 * answered, and if it never did: with many of those at once others wait for so long.
 */
const stalledAfter = 2_000;
const unansweredAfter = 500;
/**
 * Milliseconds without a word after which a delivery may have to go: if its server never answered, and
 * if it did, or if it was found dead before (then there are few places, and time).
 */
const patience = 10_000;
const longPatience = 60_000;

/** One delivery under way. */
export interface Run {
  readonly domain: string;
  /** Nobody was reached there the last time. */
  readonly failing: boolean;
  /** Aborted when the delivery has to go, or the queue stops. */
  readonly signal: AbortSignal;
  /** It had to make room for others. */
  readonly madeRoom: boolean;
  /** To be called whenever the server shows life. */
  progress(step: Progress): void;
  end(): void;
}

interface Entry extends Run {
  madeRoom: boolean;
  abort: AbortController;
  /** When the server was heard of last, milliseconds since the epoch. */
  heard: number;
  answered: boolean;
  /** The server has the whole message: cut off now, it would be sent twice. */
  committed: boolean;
  stalled: boolean;
}

export class Runs {
  readonly #clock: Clock;
  readonly #stalled: () => void;
  readonly #entries = new Set<Entry>();
  readonly #byDestination = new Map<string, number>();
  #waiting = 0;
  #failing = 0;

  /** @param stalled is called when a delivery ceases to count as one that works. */
  constructor(clock: Clock, stalled: () => void) {
    this.#clock = clock;
    this.#stalled = stalled;
  }

  /** What nextDue goes by. */
  places(): Running {
    return {
      byDestination: this.#byDestination,
      all: this.#entries.size,
      working: this.#entries.size - this.#waiting,
      failing: this.#failing,
    };
  }

  begin(domain: string, failing: boolean): Run {
    const abort = new AbortController();
    let cancel = () => {};
    const entry: Entry = {
      domain,
      failing,
      abort,
      signal: abort.signal,
      madeRoom: false,
      heard: this.#clock.now(),
      answered: false,
      committed: false,
      stalled: false,
      progress: (step) => {
        entry.heard = this.#clock.now();
        entry.answered = true;
        entry.committed = step === "committed";
        if (!entry.stalled) return;
        entry.stalled = false;
        this.#waiting--;
        watch();
      },
      end: () => {
        cancel();
        if (!this.#entries.delete(entry)) return;
        if (entry.stalled) this.#waiting--;
        if (failing) this.#failing--;
        const left = this.#byDestination.get(domain)! - 1;
        if (left > 0) this.#byDestination.set(domain, left);
        else this.#byDestination.delete(domain);
      },
    };
    // One timer however much is heard: it looks again when it runs out.
    const allowed = () => entry.answered ? stalledAfter : unansweredAfter;
    const watch = (after = allowed()) => {
      cancel = this.#clock.after(after, () => {
        const silent = this.#clock.now() - entry.heard;
        if (silent < allowed()) return watch(allowed() - silent);
        entry.stalled = true;
        this.#waiting++;
        this.#stalled();
      });
    };
    watch();
    this.#entries.add(entry);
    if (failing) this.#failing++;
    this.#byDestination.set(domain, (this.#byDestination.get(domain) ?? 0) + 1);
    return entry;
  }

  /**
   * Ends the delivery that has heard nothing for longest, if one may be, of those that fit.
   * @returns the time from which one may be if none was, milliseconds since the epoch; undefined if room
   * is made.
   */
  makeRoom(now: number, fits: (run: Run) => boolean = () => true): number | undefined {
    let first: Entry | undefined;
    let at = Infinity;
    for (const e of this.#entries) {
      // Room is on its way already.
      if (e.madeRoom) return undefined;
      if (e.committed || !fits(e)) continue;
      const until = e.heard + (e.answered || e.failing ? longPatience : patience);
      if (until < at) [first, at] = [e, until];
    }
    if (!first || at > now) return at;
    first.madeRoom = true;
    first.abort.abort();
    return undefined;
  }

  /** Has all deliveries end. */
  abort(): void {
    for (const e of this.#entries) e.abort.abort();
  }
}
