/**
 * Messages with consecutive ids, which one statement can change: mail that arrived in sequence has such ids,
 * and a statement for each message takes two to four times as long.
 *
 * @module
 */

/** Indexes of a list, from the first to the one after the last. */
export interface Run {
  from: number;
  end: number;
}

/** Splits 0 to `length` where two neighbours don't belong together. */
export function* runsOf(length: number, together: (i: number) => boolean): Generator<Run> {
  for (let from = 0; from < length;) {
    let end = from + 1;
    while (end < length && together(end)) end++;
    yield { from, end };
    from = end;
  }
}

/** Splits a list of ascending numbers where one is missing. */
export function runsOfIds(ids: ArrayLike<number>): Generator<Run> {
  return runsOf(ids.length, (i) => ids[i] === ids[i - 1] + 1);
}
