/**
 * Turns of the event loop, shared among work that never waits for anything: connections whose next commands
 * have already arrived, and long jobs.
 *
 * Settled promises, and setImmediate (some sixty of them run between two polls of the sockets), leave the loop
 * no chance to read and write for others; a timer does. Long work calls {@link turnSpent} from time to time,
 * and awaits {@link nextTurn} when it returns true. Waiting work continues one after the other, each for at
 * most a turn; work woken by input meanwhile is served in between.
 *
 * There are three lines. Connections that have not sent ahead go before the floods of others: a session that
 * sends a command and waits for the answer is delayed by one of them, not by all. Long jobs ({@link giveWay})
 * also have their own line: however many archives are being packed, a connection waits for only one of them. A
 * line that others go before still gets about half of the time.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Milliseconds that work may run before others get the loop. */
export const turnTime = 8;

/** Waiting work, in order. */
class Line {
  #waiting: (() => void)[] = [];
  #head = 0;

  get empty(): boolean {
    return this.#head === this.#waiting.length;
  }

  add(go: () => void): void {
    this.#waiting.push(go);
  }

  /** Removes the first; there must be one. */
  next(): () => void {
    const next = this.#waiting[this.#head++];
    if (this.empty) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head > 1000) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }
}

let started = 0;
let marked = false;
let scheduled = false;
const prompt = new Line();
const connections = new Line();
const jobs = new Line();

/**
 * A zero timer that fires within this many milliseconds shows that the loop was idle and has polled the
 * sockets.
 */
const inTime = 3;
/** How often a late timer is set again: others may always have work. */
const mostAgain = 2;

/**
 * Calls back after the sockets were polled. The runtime does that when it is idle, or after some sixty rounds:
 * fast file operations make rounds without polling, and a timer that is due fires in the next round. With 10 ms
 * of work in each round, others waited 600 ms.
 */
function afterLook(then: () => void, again = 0): void {
  const set = performance.now();
  setTimeout(() => {
    if (again < mostAgain && performance.now() - set > inTime) afterLook(then, again + 1);
    else then();
  }, 0);
}

/** A turn begins with the first call after the sockets were polled, and with each waiting piece of work. */
function mark(): void {
  started = performance.now();
  if (marked) return;
  marked = true;
  afterLook(() => marked = false);
}

/** True if this turn of the loop is used up: then await {@link nextTurn}. */
export function turnSpent(): boolean {
  if (marked) return performance.now() - started >= turnTime;
  mark();
  return false;
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  afterLook(turn);
}

/** Milliseconds that one line may go before other waiting ones. */
const goesBefore = 2 * turnTime;
/** When the last job continued, and whether a connection did since. */
let jobAt = -Infinity;
let jobLast = false;
/** When the last work that is not prompt continued, and whether any did since. */
let otherAt = -Infinity;
let otherLast = false;

function nobodyWaits(): boolean {
  return prompt.empty && connections.empty && jobs.empty;
}

/** The line whose turn it is; one of them must not be empty. */
function nextLine(now: number): Line {
  const others = !connections.empty || !jobs.empty;
  otherLast = !(!prompt.empty && (!others || otherLast || now - otherAt < goesBefore));
  if (!otherLast) return prompt;
  otherAt = now;
  if (connections.empty) return jobs;
  return !jobs.empty && !jobLast && now - jobAt >= goesBefore ? jobs : connections;
}

/** Lets the first waiting work continue, and others after it as long as the turn lasts. */
function turn(): void {
  scheduled = false;
  const from = performance.now();
  const one = () => {
    const now = performance.now();
    const line = nextLine(now);
    jobLast = line === jobs;
    if (jobLast) jobAt = now;
    const next = line.next();
    mark();
    next();
    if (nobodyWaits()) return;
    // The continued work runs before this.
    setImmediate(() => {
      if (nobodyWaits() || scheduled) return;
      if (performance.now() - from >= turnTime) schedule();
      else one();
    });
  };
  if (!nobodyWaits()) one();
}

function wait(line: Line): Promise<void> {
  return new Promise((resolve) => {
    line.add(resolve);
    // A running one continues by itself.
    schedule();
  });
}

/**
 * A peer with more unread bytes of input than this has sent ahead: enough for some commands, but not for a
 * flood.
 */
export const maxPrompt = 1024;

/**
 * Resolves in a later turn of the loop, in order of the calls.
 *
 * @param ahead bytes of input already waiting; with few of them, connections with many are overtaken.
 */
export function nextTurn(ahead = Infinity): Promise<void> {
  return wait(ahead > maxPrompt ? connections : prompt);
}

/** For loops of long jobs: waits for the next turn if this one is spent. */
export async function giveWay(): Promise<void> {
  if (turnSpent()) await wait(jobs);
}
