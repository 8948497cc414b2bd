/**
 * Changes of calendars and address books that other programs and pages make. The server is asked to tell them while
 * something of these is shown.
 *
 * @module
 */
import { call } from "../api/client.ts";

export type Shows = "calendars" | "contacts";

/** What shows something: one refresh at a time, and another one if there was a change meanwhile. */
class Watcher {
  readonly shows: Shows;
  readonly #refresh: () => Promise<void>;
  #stale = false;
  #running = false;

  constructor(shows: Shows, refresh: () => Promise<void>) {
    this.shows = shows;
    this.#refresh = refresh;
  }

  async changed(): Promise<void> {
    this.#stale = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#stale && watchers.has(this)) {
        this.#stale = false;
        await this.#refresh();
      }
    } catch {
      // The next change, or the next thing that a person asks for, shows it.
    } finally {
      this.#running = false;
    }
  }
}

const watchers = new Set<Watcher>();
/** Of the page's connection. */
let connection: string | undefined;

/** Asks the server to tell; what changed before it does is not told, so all that is shown is loaded again then. */
async function follow(only?: Watcher): Promise<void> {
  const sseId = connection;
  if (sseId === undefined) return;
  try {
    await call("GroupwareFollow", { sseId, follow: true });
  } catch {
    // The connection has ended: the next one asks again.
    return;
  }
  for (const w of only === undefined ? watchers : [only]) if (watchers.has(w)) void w.changed();
}

/**
 * Has something shown anew after changes, also after some that change nothing of it.
 * @param refresh may fail
 * @returns what ends that
 */
export function watchGroupware(shows: Shows, refresh: () => Promise<void>): () => void {
  const watcher = new Watcher(shows, refresh);
  watchers.add(watcher);
  void follow(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0 || connection === undefined) return;
    call("GroupwareFollow", { sseId: connection, follow: false }).catch(() => {
      // The connection has ended, and with it what was followed.
    });
  };
}

/** The page has a new connection. */
export function groupwareConnected(sseId: string): void {
  connection = sseId;
  if (watchers.size > 0) void follow();
}

/** The server told of a change. */
export function groupwareChanged(changed: Record<Shows, boolean>): void {
  for (const w of watchers) if (changed[w.shows]) void w.changed();
}
