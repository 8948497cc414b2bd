/**
 * Follows a user's accounts, and reports new states. Changes that come together are reported together.
 *
 * @module
 */
import { AccountAccess, accountIdOf, accountNames } from "../core/access.ts";
import { MethodError } from "../core/errors.ts";
import type { Access, User } from "../core/method.ts";
import type { JmapServices } from "../services.ts";
import type { Listener } from "../../store/types.ts";
import { type AllStates, changedStates, currentStates } from "./states.ts";

/** Milliseconds to wait for further changes: usually several come together. */
const quiet = 15;

/** Called with the changed states, and all states. */
type Tell = (changed: AllStates, all: AllStates) => void;

export class Watcher {
  readonly #s: JmapServices;
  readonly #access: AccountAccess;
  readonly #tell: Tell;
  #accounts: Access[] = [];
  #listeners: Listener[] = [];
  #endSignals: (() => void)[] = [];
  #known: AllStates = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking = false;
  #closed = false;
  /** Types that are reported; undefined for all. */
  types: ReadonlySet<string> | undefined;

  private constructor(services: JmapServices, user: User, tell: Tell) {
    this.#s = services;
    this.#access = new AccountAccess(services, user);
    this.#tell = tell;
  }

  /**
   * Begins to follow.
   * @param since states known to the client; the current ones if not given
   */
  static async start(
    services: JmapServices,
    user: User,
    o: {
      types: ReadonlySet<string> | undefined;
      since?: AllStates;
      tell: (changed: AllStates, all: AllStates) => void;
    },
  ): Promise<Watcher> {
    const w = new Watcher(services, user, o.tell);
    w.types = o.types;
    try {
      for (const name of accountNames(services, user)) {
        try {
          w.#accounts.push(await w.#access.open(accountIdOf(name)));
        } catch (err) {
          // It was removed meanwhile.
          if (!(err instanceof MethodError)) throw err;
        }
      }
      for (const a of w.#accounts) {
        const listener = a.account.listen();
        listener.onPending = () => {
          listener.take();
          w.#soon();
        };
        w.#listeners.push(listener);
        w.#endSignals.push(services.signals.on(a.account.name, () => w.#soon()));
        const groupware = await a.account.groupware();
        w.#endSignals.push(groupware.listen(() => w.#soon()));
      }
      w.#known = await w.#now();
      if (o.since !== undefined) {
        const changed = changedStates(o.since, w.#known, w.types);
        if (Object.keys(changed).length > 0) o.tell(changed, w.#known);
      }
      return w;
    } catch (err) {
      w.close();
      throw err;
    }
  }

  async #now(): Promise<AllStates> {
    const all: AllStates = {};
    for (const a of this.#accounts) all[a.id] = await currentStates(this.#s, a);
    return all;
  }

  /** The last reported states. */
  get states(): AllStates {
    return this.#known;
  }

  #soon(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look().catch(() => {
        // The account is being closed, and so will the connection.
      });
    }, quiet);
  }

  async #look(): Promise<void> {
    if (this.#looking) return this.#soon();
    this.#looking = true;
    try {
      const now = await this.#now();
      if (this.#closed) return;
      const changed = changedStates(this.#known, now, this.types);
      this.#known = now;
      if (Object.keys(changed).length > 0) this.#tell(changed, now);
    } finally {
      this.#looking = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const l of this.#listeners) l.close();
    for (const end of this.#endSignals) end();
    this.#listeners = [];
    this.#endSignals = [];
    this.#access.close();
  }
}
