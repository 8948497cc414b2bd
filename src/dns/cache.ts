/** A cache of answers and failures with expiry; the least recently used are dropped first. @module */
import type { DnsAnswer, DnsError } from "./types.ts";

type Outcome = DnsAnswer | DnsError;

/** Keeps outcomes by key, at most `maxEntries` of them. */
export interface AnswerCache {
  /** The outcome if still valid. */
  get(key: string): Outcome | undefined;
  set(key: string, outcome: Outcome, ttlSeconds: number): void;
  clear(): void;
  readonly size: number;
}

/** Creates a cache; `now` returns milliseconds. */
export function answerCache(maxEntries: number, now: () => number): AnswerCache {
  // A Map keeps the order of insertion: used entries are inserted again, so the least recently used are first.
  const entries = new Map<string, { outcome: Outcome; expires: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      if (entry.expires <= now()) return undefined;
      entries.set(key, entry);
      return entry.outcome;
    },
    set(key, outcome, ttlSeconds) {
      entries.delete(key);
      if (ttlSeconds <= 0) return;
      if (entries.size >= maxEntries) {
        for (const oldest of entries.keys()) {
          entries.delete(oldest);
          break;
        }
      }
      entries.set(key, { outcome, expires: now() + ttlSeconds * 1000 });
    },
    clear() {
      entries.clear();
    },
    get size() {
      return entries.size;
    },
  };
}
