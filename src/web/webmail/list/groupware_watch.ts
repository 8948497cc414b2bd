/**
 * Tells pages when calendars and address books change that their user sees, own ones and those of others. Pages ask for
 * it while they show some.
 *
 * @module
 */
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection } from "../../../store/groupware/types.ts";
import { type OwnerServices, ownersHere, withOwner } from "../owners.ts";
import type { EventConnections, GroupwareStates } from "./event_stream.ts";

/** Milliseconds in which further changes are waited for: an import, or a phone, makes many. */
const quiet = 200;

/** @param user undefined for the owner */
function statesOf(g: Groupware, user: string | undefined): GroupwareStates {
  const of = (home: "calendars" | "addressbooks", kind: Collection["kind"]) =>
    g.collections(home)
      .filter((c) => c.kind === kind)
      .map((c) => [c, user === undefined ? "write" : g.rightsOf(c.id, user)] as const)
      .filter(([, rights]) => rights !== undefined)
      .map(([c, rights]) => `${c.id} ${c.modseq} ${rights}`)
      .join();
  return { calendars: of("calendars", "calendar"), contacts: of("addressbooks", "addressbook") };
}

export class GroupwareWatch {
  readonly #services: OwnerServices;
  readonly #connections: EventConnections;
  /** By account: looked at soon. */
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Accounts that are being looked at. */
  readonly #looking = new Set<Promise<void>>();
  readonly #onError: (err: unknown) => void;

  constructor(
    services: OwnerServices,
    connections: EventConnections,
    onError: (err: unknown) => void,
  ) {
    this.#services = services;
    this.#connections = connections;
    this.#onError = onError;
  }

  /** To be called when an account's calendars or address books have changed. */
  changed(account: string): void {
    if (this.#timers.has(account) || !this.#concerns(account)) return;
    this.#timers.set(
      account,
      setTimeout(() => {
        this.#timers.delete(account);
        const looking = this.#look(account).catch(this.#onError).finally(() =>
          this.#looking.delete(looking)
        );
        this.#looking.add(looking);
      }, quiet),
    );
  }

  /** Whether any page must be notified of an account's changes. */
  #concerns(account: string): boolean {
    return this.#connections.following().some((c) =>
      c.who.account === account || ownersHere(this.#services, c.who.account).includes(account)
    );
  }

  async #look(account: string): Promise<void> {
    await withOwner(this.#services, account, (g) => {
      for (const c of this.#connections.following()) {
        const user = c.who.account;
        const own = user === account;
        if (!own && !ownersHere(this.#services, user).includes(account)) continue;
        const now = statesOf(g, own ? undefined : user);
        const known = c.groupware?.get(account);
        c.groupware?.set(account, now);
        const calendars = now.calendars !== (known?.calendars ?? "");
        const contacts = now.contacts !== (known?.contacts ?? "");
        if (calendars || contacts) c.tell({ kind: "groupware", calendars, contacts });
      }
      return Promise.resolve();
    });
  }

  /** Ends what is looked at. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#looking);
  }
}
