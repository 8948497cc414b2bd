/**
 * The accounts of a data folder: opened when needed, kept while used and some time after.
 *
 * @module
 */
import { join } from "node:path";
import type { Log } from "../../log/mod.ts";
import { ensureDir } from "../../platform/files.ts";
import { openFilesBudget } from "../../platform/open_files.ts";
import { isSafeName } from "../../platform/paths.ts";
import { Account } from "./account.ts";
import type { AccountRules } from "./writer.ts";
import { stopCheckpointWorker } from "../database/checkpoint.ts";
import { stopIndexWorker } from "../fulltext/worker.ts";
import { stopPasswordWorker } from "../logins/password.ts";
import { StoreError } from "../types.ts";

/** The error for opening an account that is being moved. */
const movingText = "this account is being moved to another server, try again in a moment";
/** Milliseconds between checks whether an account is still in use. */
const leaveInterval = 20;
/** Milliseconds that an account without users stays open, unless too many are open. */
const idleTime = 60_000;

export class Accounts {
  readonly dir: string;
  readonly log: Log;
  readonly #rules: (name: string) => AccountRules | undefined;
  readonly #open = new Map<string, Promise<Account>>();
  /** Accounts whose opening is done. */
  readonly #ready = new Map<string, Account>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #maxOpen: number;
  /** Accounts that nobody may open at the moment. */
  readonly #leaving = new Set<string>();
  #closed = false;
  /** Called once for each account that is opened: training, threads and indexing start here. */
  onOpen: ((account: Account) => void) | undefined;
  /** Called when an account that was being moved may be opened here. */
  onStay: ((account: string) => void) | undefined;
  /** Called soon after changes of an account's calendars and address books. */
  onGroupwareChange: ((account: string) => void) | undefined;

  /**
   * @param dir the folder `accounts` in the data folder.
   * @param rules the configuration of an account; undefined if it has none of that name.
   * @param maxOpen accounts open at a time; without it, derived from the process's limit of open files.
   */
  constructor(
    dir: string,
    log: Log,
    rules: (name: string) => AccountRules | undefined,
    maxOpen = openFilesBudget().accounts,
  ) {
    this.#maxOpen = maxOpen;
    this.dir = dir;
    this.log = log;
    this.#rules = rules;
  }

  /**
   * Opens an account, created if its folder is missing. Close it once for each time it was opened.
   * @throws StoreError "accountMissing" if the configuration has no such account, "busy" if the maximum number
   * of accounts is in use, or while it is being moved.
   */
  async open(name: string): Promise<Account> {
    if (this.#closed) throw new StoreError("closed", "server is stopping");
    // A closed account is reopened after its files are closed.
    while (this.#closing.has(name)) await this.#closing.get(name);
    if (this.#leaving.has(name)) throw new StoreError("busy", movingText);
    let p = this.#open.get(name);
    if (!p) {
      const room = this.#makeRoom();
      p = room.then(() => this.#openNew(name));
      this.#open.set(name, p);
      p.catch(() => this.#open.delete(name));
    }
    const account = (await p).acquire();
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    return account;
  }

  /** Closes unused accounts, the longest unused first, if opening another would exceed the limit. */
  async #makeRoom(): Promise<void> {
    // The account being opened isn't counted yet; those being closed still have their files open.
    if (this.#open.size < this.#maxOpen) return;
    const name = this.#timers.keys().next().value;
    if (name === undefined) {
      throw new StoreError("busy", "too many accounts are in use, try again later");
    }
    clearTimeout(this.#timers.get(name));
    this.#closeNow(name);
    await this.#closing.get(name);
  }

  async #openNew(name: string): Promise<Account> {
    const rules = this.#rules(name);
    // An account's name is also the name of a folder.
    if (!rules || !isSafeName(name)) {
      throw new StoreError(
        "accountMissing",
        `no account ${JSON.stringify(name)} here: domains.conf has none, or has it at another node`,
      );
    }
    const dir = join(this.dir, name);
    await ensureDir(join(dir, "msg"), 0o700);
    const log = this.log.with({ account: name });
    const account = await Account.open(name, dir, log, rules, (a) => this.#idle(a));
    this.#ready.set(name, account);
    account.onGroupwareChange = () => this.onGroupwareChange?.(name);
    this.onOpen?.(account);
    return account;
  }

  #forget(name: string): void {
    this.#open.delete(name);
    this.#ready.delete(name);
  }

  /** An account if it is open at the moment. Use it only up to the next await: this does not keep it open. */
  ifOpen(name: string): Account | undefined {
    return this.#closed || this.#leaving.has(name) ? undefined : this.#ready.get(name);
  }

  #idle(account: Account): void {
    if (this.#closed) return;
    const timer = setTimeout(() => this.#closeNow(account.name), idleTime);
    Deno.unrefTimer(timer as unknown as number);
    this.#timers.set(account.name, timer);
  }

  #closeNow(name: string): void {
    this.#timers.delete(name);
    const p = this.#open.get(name);
    if (!p) return;
    const closing = p.then(async (account) => {
      if (account.references > 0) return;
      this.#forget(name);
      await account.shutdown();
    }).catch((err) => this.log.error("closing account", { account: name, err }))
      .finally(() => this.#closing.delete(name));
    this.#closing.set(name, closing);
  }

  /** Lets nobody open an account any more; current users keep it, see {@link left}. */
  leave(name: string): void {
    this.#leaving.add(name);
  }

  /** Allows an account to be opened again. */
  stay(name: string): void {
    if (this.#leaving.delete(name)) this.onStay?.(name);
  }

  /** Whether an account is being moved: nobody may open it, and who has it open lets go of it soon. */
  isLeaving(name: string): boolean {
    return this.#leaving.has(name);
  }

  /**
   * Closes an account after {@link leave}, once its last user is done.
   * @param patience milliseconds
   * @returns whether it is closed
   */
  async left(name: string, patience: number): Promise<boolean> {
    if (!this.#leaving.has(name)) throw new Error(`account ${name} is not left`);
    for (const until = Date.now() + patience;;) {
      while (this.#closing.has(name)) await this.#closing.get(name);
      const account = await this.#open.get(name)?.catch(() => undefined);
      if (account === undefined) return true;
      if (account.references === 0) {
        clearTimeout(this.#timers.get(name));
        this.#closeNow(name);
      } else if (Date.now() > until) {
        return false;
      } else {
        await new Promise((resolve) => setTimeout(resolve, leaveInterval));
      }
    }
  }

  /** Names of the accounts that have a folder. */
  names(): string[] {
    try {
      return [...Deno.readDirSync(this.dir)].filter((e) => e.isDirectory).map((e) => e.name).sort();
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return [];
      throw err;
    }
  }

  /** Removes an account's folder with all its mail. It must not be in use. */
  async remove(name: string): Promise<void> {
    const p = this.#open.get(name);
    if (p) {
      const account = await p;
      if (account.references > 0) throw new Error(`account ${name} is in use`);
      this.#forget(name);
      clearTimeout(this.#timers.get(name));
      await account.shutdown();
    }
    await Deno.remove(join(this.dir, name), { recursive: true });
  }

  /** Finishes writes and closes all databases; nothing can be opened afterwards. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    for (const t of this.#timers.values()) clearTimeout(t);
    this.#timers.clear();
    await Promise.all(this.#closing.values());
    const errors: unknown[] = [];
    for (const p of this.#open.values()) {
      try {
        await (await p).shutdown();
      } catch (err) {
        errors.push(err);
      }
    }
    this.#open.clear();
    this.#ready.clear();
    stopCheckpointWorker();
    stopPasswordWorker();
    stopIndexWorker();
    if (errors.length > 0) throw errors[0];
  }
}
