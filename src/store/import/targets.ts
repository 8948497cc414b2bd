/**
 * The target mailboxes of an import: existing ones of the account, and those that it creates.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { normalizeMailboxName } from "../mailboxes/mailboxes.ts";
import { noteMade } from "../messages/unfinished.ts";
import { type Mailbox, StoreError } from "../types.ts";
import type { SourceMailbox } from "./sources.ts";

/** A target mailbox. */
export interface Target {
  /** Its number in this import. */
  number: number;
  name: string;
  use: number;
  unsubscribed: boolean;
  /** Undefined until it exists. */
  mailbox: Mailbox | undefined;
}

export class Targets {
  readonly #account: Account;
  readonly #change: string;
  readonly #into: string;
  /** By their description in the source: several may mean the same mailbox. */
  readonly #meant = new Map<string, Target>();
  readonly #byName = new Map<string, Target>();
  readonly #byUse = new Map<number, Target>();
  /** In order of first use. */
  readonly all: Target[] = [];

  /**
   * @param change under which created mailboxes are noted (see messages/unfinished.ts)
   * @param into see ImportOptions
   */
  constructor(account: Account, change: string, into: string) {
    this.#account = account;
    this.#change = change;
    this.#into = into;
  }

  /**
   * The mailbox for a source's mailbox.
   * @param warn called for a name that no mailbox can have: then it is the mailbox that is imported into
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

  /** Makes sure that the mailbox exists. */
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
    // Existing mailboxes keep the subscription that their user chose.
    if (t.unsubscribed) await account.unsubscribe(r.mailbox.name);
    return t.mailbox = r.mailbox;
  }
}
