/**
 * Accounts of a request: the user's own, and those that share something with the user. Opened when a method
 * names them, closed with the request.
 *
 * @module
 */
import type { Account } from "../../store/account/account.ts";
import { StoreError } from "../../store/types.ts";
import type { JmapServices } from "../services.ts";
import { MethodError } from "./errors.ts";
import type { Access, User } from "./method.ts";

/** The id of an account: its name, or a substitute if the name has other characters. */
export function accountIdOf(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,200}$/.test(name)) return name;
  const bytes = new TextEncoder().encode(name);
  return `_${bytes.toHex().slice(0, 250)}`;
}

/** Names of the accounts that a user may have access to, the own one first. */
export function accountNames(services: JmapServices, user: User): string[] {
  return [user.account, ...services.sharing.owners(user.account)];
}

export class AccountAccess {
  readonly #s: JmapServices;
  readonly #user: User;
  readonly #open = new Map<string, Access>();
  readonly #accounts: Account[] = [];

  constructor(services: JmapServices, user: User) {
    this.#s = services;
    this.#user = user;
  }

  /** @throws MethodError accountNotFound, accountNotSupportedByMethod */
  async open(id: string, o: { own?: boolean } = {}): Promise<Access> {
    let access = this.#open.get(id);
    if (access === undefined) {
      access = await this.#openNew(id);
      this.#open.set(id, access);
    }
    if (o.own === true && !access.own) {
      throw new MethodError("accountNotSupportedByMethod", "this is for your own account only");
    }
    return access;
  }

  async #openNew(id: string): Promise<Access> {
    const own = id === accountIdOf(this.#user.account);
    const name = own
      ? this.#user.account
      : this.#s.sharing.owners(this.#user.account).find((n) => accountIdOf(n) === id);
    const missing = () => new MethodError("accountNotFound", "there is no such account");
    if (name === undefined) throw missing();
    try {
      const account = await this.#s.accounts.open(name);
      this.#accounts.push(account);
      return { id, account, own, user: this.#user };
    } catch (err) {
      if (err instanceof StoreError && err.code === "accountMissing") throw missing();
      throw err;
    }
  }

  close(): void {
    for (const a of this.#accounts.splice(0)) a.close();
    this.#open.clear();
  }
}
