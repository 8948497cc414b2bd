/**
 * Mailboxes that an import brings messages for: those of the account, and those that it makes.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { normalizeMailboxName } from "../mailboxes/mailboxes.ts";
import { noteMade } from "../messages/unfinished.ts";
import { type Mailbox, StoreError } from "../types.ts";
import type { SourceMailbox } from "./sources.ts";

/** A mailbox that messages are for. */
export interface Target {
  /** Its number in this import. */
  number: number;
  name: string;
  use: number;
  unsubscribed: boolean;
  /** Undefined as long as there is none. */
  mailbox: Mailbox | undefined;
}

export class Targets {
  readonly #account: Account;
  readonly #change: string;
  readonly #into: string;
  /** By what the source says of them: several may mean the same mailbox. */
  readonly #meant = new Map<string, Target>();
  readonly #byName = new Map<string, Target>();
  readonly #byUse = new Map<number, Target>();
  /** In the order in which they were first meant. */
  readonly all: Target[] = [];

  /**
   * @param change for which mailboxes are made (see messages/unfinished.ts)
   * @param into see ImportOptions
   */
  constructor(account: Account, change: string, into: string) {
    this.#account = account;
    this.#change = change;
    this.#into = into;
  }

  /**
   * The mailbox that is meant.
   * @param warn gets told of a name that no mailbox can have: then it is the one that is imported into
   * @throws StoreError "mailboxName" if that can't be a name either
   */
  find(m: SourceMailbox, warn: (problem: string) => void): Target {
    const into = this.#into;
    const name = into === "" ? m.below || "Inbox" : m.below === "" ? into : `${into}/${m.below}`;
    const use = into === "" ? m.use ?? 0 : 0;
    const key = `${use} ${name}`;
    let target = this.#meant.get(key);
    if (target !== undefined) return target;
    try {
      target = this.#planned(normalizeMailboxName(name), use, m.unsubscribed === true);
    } catch (err) {
      if (!(err instanceof StoreError && err.code === "mailboxName") || m.below === "") throw err;
      warn(`${name}: ${err.message}; its messages are in ${into || "Inbox"}`);
      target = this.find({ below: "" }, warn);
    }
    this.#meant.set(key, target);
    return target;
  }

  #planned(name: string, use: number, unsubscribed: boolean): Target {
    const account = this.#account;
    const mailbox = use ? account.mailboxBySpecialUse(use) : undefined;
    const known = (mailbox === undefined ? this.#byUse.get(use) : undefined) ??
      this.#byName.get(mailbox?.name ?? name);
    if (known !== undefined) return known;
    const there = mailbox ?? account.mailboxByName(name);
    const target = {
      number: this.all.length,
      name: there?.name ?? name,
      use,
      unsubscribed,
      mailbox: there,
    };
    this.all.push(target);
    this.#byName.set(target.name, target);
    if (use !== 0) this.#byUse.set(use, target);
    return target;
  }

  /** Sees to it that there is a mailbox. */
  async make(t: Target): Promise<Mailbox> {
    const account = this.#account;
    // It may have been removed since.
    t.mailbox = t.mailbox && account.mailbox(t.mailbox.id);
    t.mailbox ??= (t.use ? account.mailboxBySpecialUse(t.use) : undefined) ??
      account.mailboxByName(t.name);
    if (t.mailbox !== undefined) return t.mailbox;
    const r = await account.createMailbox(t.name, { specialUse: t.use });
    const names = r.created.map((m) => m.name);
    await account.writer.write(() => noteMade(account.db, this.#change, names));
    // Mailboxes that are there already are as their user wants them here.
    if (t.unsubscribed) await account.unsubscribe(r.mailbox.name);
    return t.mailbox = r.mailbox;
  }
}
