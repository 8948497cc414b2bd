/**
 * Parameters of the junk filter, under the names they have in the configuration.
 *
 * @module
 */

/** How words are made and weighed. Changing the n-grams requires a rebuild of the filter. */
export interface JunkParams {
  /** Count single words. */
  Onegrams: boolean;
  /** Count each two consecutive words. */
  Twograms: boolean;
  /** Count each three consecutive words. */
  Threegrams: boolean;
  /** Limits a word's influence: its spaminess is kept within [MaxPower, 1 - MaxPower]. In [0, 0.5]. */
  MaxPower: number;
  /** How many of the most hammy, and how many of the most spammy words decide. */
  TopWords: number;
  /** Words whose spaminess is closer than this to 0.5 are ignored. In [0, 0.5]. */
  IgnoreWords: number;
  /** A word counted at most this often has less influence. */
  RareWords: number;
}

/** Quickstart's values, and the defaults for fields that are not given. */
export const defaultJunkParams: Readonly<JunkParams> = {
  Onegrams: true,
  Twograms: false,
  Threegrams: false,
  MaxPower: 0.01,
  TopWords: 10,
  IgnoreWords: 0.1,
  RareWords: 2,
};

/** Probability of spam above which a message is junk, as configured by quickstart. */
export const defaultThreshold = 0.9;

/** A parameter out of its range. The text names the parameter and its range. */
export class JunkParamsError extends Error {
  override name = "JunkParamsError";
}

/**
 * Fills in defaults and checks the ranges, which are those of the configuration.
 * @throws JunkParamsError
 */
export function junkParams(given: Partial<JunkParams> = {}): JunkParams {
  const p = { ...defaultJunkParams, ...given };
  if (!(p.MaxPower >= 0 && p.MaxPower <= 0.5)) {
    throw new JunkParamsError(`MaxPower must be from 0 to 0.5, not ${p.MaxPower}`);
  }
  if (!(Number.isInteger(p.TopWords) && p.TopWords >= 0 && p.TopWords <= 1000)) {
    throw new JunkParamsError(`TopWords must be a number from 0 to 1000, not ${p.TopWords}`);
  }
  if (!(p.IgnoreWords >= 0 && p.IgnoreWords <= 0.5)) {
    throw new JunkParamsError(`IgnoreWords must be from 0 to 0.5, not ${p.IgnoreWords}`);
  }
  if (!(Number.isInteger(p.RareWords) && p.RareWords >= 0 && p.RareWords <= 1_000_000)) {
    throw new JunkParamsError(`RareWords must be a number from 0 to 1000000, not ${p.RareWords}`);
  }
  return p;
}
