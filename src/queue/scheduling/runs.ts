/**
 * The running deliveries: how many, to whom, and which of them wait for a silent server.
 *
 * A delivery that hears nothing for a moment, in any phase, doesn't take a working place. If even the waiting
 * places are taken and a message is due for a destination that isn't known to be dead, the delivery that has
 * waited longest is ended and tried again later.
 *
 * @module
 */
import type { Running } from "./due.ts";
import type { Progress } from "../../smtp/client/mod.ts";
import type { Clock } from "../types.ts";

/**
 * Milliseconds of silence after which a delivery no longer counts as working: if its server has answered
 * before, and if it never did. With many of the latter at a time, others wait this long.
 */
const stalledAfter = 2_000;
const unansweredAfter = 500;
/**
 * Milliseconds of silence after which a delivery may be ended: if its server never answered, and if it did or
 * was found dead before (such destinations have few places, and time).
 */
const patience = 10_000;
const longPatience = 60_000;

/** A running delivery. */
export interface Run {
  readonly domain: string;
  /** No server was reached there the last time. */
  readonly failing: boolean;
  /** Aborted when the delivery must end, or the queue stops. */
  readonly signal: AbortSignal;
  /** It had to make room for others. */
  readonly madeRoom: boolean;
  /** Call it whenever the server makes progress. */
  progress(step: Progress): void;
  end(): void;
}

interface Entry extends Run {
  madeRoom: boolean;
  abort: AbortController;
  /** When the server was last heard from, milliseconds since the epoch. */
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

  /** @param stalled called when a delivery stops counting as working. */
  constructor(clock: Clock, stalled: () => void) {
    this.#clock = clock;
    this.#stalled = stalled;
  }

  /** The input for nextDue. */
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
    // One timer, however much is heard: it checks again when it fires.
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
   * Ends the matching delivery that has been silent longest, if one may be ended.
   * @returns if none may be, the time from which one may, milliseconds since the epoch; undefined if room is
   * made.
   */
  makeRoom(now: number, fits: (run: Run) => boolean = () => true): number | undefined {
    let first: Entry | undefined;
    let at = Infinity;
    for (const e of this.#entries) {
      // Room is already being made.
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

  /** Ends all deliveries. */
  abort(): void {
    for (const e of this.#entries) e.abort.abort();
  }
}
