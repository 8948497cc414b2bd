/** An account's mail as visible to a user: all of the own account, and what others share. @module */
import type { MailboxId } from "../../store/ids.ts";
import { type EmailIndex, emailIndex } from "../../store/emails/email_index.ts";
import { allRights, effectiveRights } from "../../store/mailboxes/rights.ts";
import type { Account } from "../../store/account/account.ts";
import type { Mailbox } from "../../store/types.ts";
import type { Access } from "../core/method.ts";

export class MailView {
  readonly access: Access;
  readonly account: Account;
  readonly index: EmailIndex;
  /** Rights on mailboxes that the user may look up. */
  readonly #rights: Map<number, string>;
  /** Mailboxes whose messages may be read; undefined for all. */
  readonly #readable: Set<number> | undefined;
  readonly mailboxes: readonly Mailbox[];

  constructor(access: Access, index: EmailIndex) {
    this.access = access;
    this.account = access.account;
    this.index = index;
    const all = access.account.mailboxes();
    this.#rights = new Map();
    if (access.own) {
      for (const m of all) this.#rights.set(m.id, allRights);
      this.mailboxes = all;
      this.#readable = undefined;
      return;
    }
    for (const m of all) {
      const rights = effectiveRights(access.account, m.id, access.user.account);
      if (rights.includes("l")) this.#rights.set(m.id, rights);
    }
    this.mailboxes = all.filter((m) => this.#rights.has(m.id));
    this.#readable = new Set(
      [...this.#rights].filter(([, r]) => r.includes("r")).map(([id]) => id),
    );
  }

  /** Rights on a mailbox; "" for a hidden or missing one. */
  rights(mailboxId: MailboxId): string {
    return this.#rights.get(mailboxId) ?? "";
  }

  readonly visible = (slot: number): boolean =>
    this.index.mailbox[slot] !== 0 &&
    (this.#readable === undefined || this.index.isInAny(slot, this.#readable));

  /** Mailboxes of an email that the user may read. */
  mailboxesOf(slot: number): MailboxId[] {
    const all = this.index.mailboxesOf(slot);
    return this.#readable === undefined ? all : all.filter((id) => this.#readable!.has(id));
  }
}

/** Opens the view, up to date. */
export async function mailView(access: Access): Promise<MailView> {
  return new MailView(access, await emailIndex(access.account));
}
