/**
 * Turns of the event loop, shared out among all that has work without waiting for anything: connections
 * whose next commands have arrived already, and long jobs.
 *
 * Promises that are settled already, and setImmediate (some sixty of them run between two looks at the
 * sockets), leave the loop no chance to read and write for others; a timer does. Who goes on for long asks
 * {@link turnSpent} now and then, and waits for {@link nextTurn} when it says so. Those who wait go on one
 * after the other, each for at most a turn; who is woken by input meanwhile is served in between.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Milliseconds that work may go on before others get the loop. */
export const turnTime = 8;

let started = 0;
let marked = false;
let scheduled = false;
/** Those who wait, from `head` on. */
let waiting: (() => void)[] = [];
let head = 0;

/** A turn begins with the first who asks after the loop came round. */
function mark(): void {
  marked = true;
  started = performance.now();
  setImmediate(() => marked = false);
}

/** True if this turn of the loop has taken its time: then {@link nextTurn} is to be awaited. */
export function turnSpent(): boolean {
  if (marked) return performance.now() - started >= turnTime;
  mark();
  return false;
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setTimeout(turn, 0);
}

/** Lets the first of those go on who wait, and others after it as long as the turn lasts. */
function turn(): void {
  scheduled = false;
  const from = performance.now();
  const one = () => {
    const next = waiting[head++];
    if (head === waiting.length) {
      waiting = [];
      head = 0;
    } else if (head > 1000) {
      waiting = waiting.slice(head);
      head = 0;
    }
    mark();
    next();
    if (waiting.length === 0) return;
    // What it does runs before that.
    setImmediate(() => {
      if (waiting.length === 0 || scheduled) return;
      if (performance.now() - from >= turnTime) schedule();
      else one();
    });
  };
  if (waiting.length > 0) one();
}

/** Resolves in a later turn of the loop, in order of asking. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    // One that runs already goes on by itself.
    schedule();
  });
}

/** For loops of long jobs: waits for the next turn if this one is spent. */
export async function giveWay(): Promise<void> {
  if (turnSpent()) await nextTurn();
}
