/** Mailboxes that others share, and their changes, as reported to one page. @module */
import type { Change as ApiChange, Mailbox as ApiMailbox } from "../../../../webmail/api/mod.ts";
import type { Log } from "../../../log/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxId } from "../../../store/ids.ts";
import type { Change, Listener } from "../../../store/types.ts";
import { tellChanges } from "./change_events.ts";
import { mailboxItem } from "./items.ts";
import type { ListView } from "./view.ts";
import { baseOf, mailboxFrom, messageFrom, partFrom, threadFrom } from "../others/ids.ts";
import {
  type Mail,
  mailOwners,
  type MailServices,
  mayRead,
  othersMail,
  sharedMailboxes,
} from "../others/mail.ts";
import { ownerNumbers } from "../others/numbers.ts";

/** Milliseconds between looks at what others share. */
const lookInterval = 20_000;
/** Looks after which accounts are asked again that shared no mail. */
const looksForAll = 15;

/** Above the mailboxes of others, as IMAP names it too. */
const otherUsers = "Other Users";

/** An account that shares mailboxes with the user. */
interface Followed {
  mail: Mail;
  listener: Listener;
  /** The last state sent to the page, without counts. */
  told: Map<MailboxId, ApiMailbox>;
}

/** After these the mailboxes are looked at anew. */
const ofMailboxes: ReadonlySet<Change["kind"]> = new Set<Change["kind"]>([
  "addMailbox",
  "removeMailbox",
  "renameMailbox",
  "mailboxSpecialUse",
  "mailboxKeywords",
]);

export class SharedMailboxes {
  readonly #services: MailServices;
  readonly #user: Account;
  readonly #onPending: () => void;
  readonly #log: Log;
  readonly #followed = new Map<string, Followed>();
  /** Accounts that may share something, but not mail. */
  readonly #without = new Set<string>();
  #looks = 0;
  #lookedAt = -Infinity;
  #closed = false;

  constructor(services: MailServices, user: Account, log: Log, onPending: () => void) {
    this.#services = services;
    this.#user = user;
    this.#log = log;
    this.#onPending = onPending;
  }

  /** Everything that is shared, as the page knows it. */
  list(): ApiMailbox[] {
    return [...this.#followed.values()].flatMap(({ mail, told }) =>
      [...told].map(([id, m]) => ({ ...m, ...countsOf(mail, id) }))
    );
  }

  /** The mail that has a number. */
  mail(number: number): Mail | undefined {
    return [...this.#followed.values()].find((f) => f.mail.base === baseOf(number))?.mail;
  }

  /** Mailboxes of an account are among them. */
  follows(owner: string): boolean {
    return this.#followed.has(owner);
  }

  get pending(): boolean {
    return [...this.#followed.values()].some((f) => f.listener.pending);
  }

  /** Changes were lost: only a new start can tell what is there. */
  get overflowed(): boolean {
    return [...this.#followed.values()].some((f) => f.listener.overflowed);
  }

  /** It is time to check who shares what. */
  get due(): boolean {
    return performance.now() - this.#lookedAt >= lookInterval;
  }

  /** Somebody's rights have changed: checks all accounts soon. */
  lookSoon(): void {
    this.#lookedAt = -Infinity;
    this.#without.clear();
  }

  /** Checks who shares what; reports what was added or removed. */
  async look(): Promise<ApiChange[]> {
    this.#lookedAt = performance.now();
    if (this.#looks++ % looksForAll === 0) this.#without.clear();
    const changes: ApiChange[] = [];
    const owners = mailOwners(this.#services, this.#user.name);
    for (const [owner, followed] of this.#followed) {
      if (!owners.includes(owner)) changes.push(...this.#leave(owner, followed));
    }
    for (const owner of owners) {
      if (this.#closed) break;
      const known = this.#followed.get(owner);
      if (known === undefined && this.#without.has(owner)) continue;
      try {
        const followed = known ?? await this.#follow(owner);
        if (followed === undefined) continue;
        changes.push(...this.#mailboxes(owner, followed));
        if (followed.told.size === 0) changes.push(...this.#leave(owner, followed));
      } catch (err) {
        // The page is useful without it.
        this.#log.error("looking at shared mailboxes", { owner, err: err as Error });
      }
    }
    return changes;
  }

  async #follow(owner: string): Promise<Followed | undefined> {
    const user = this.#user.name;
    const unnumbered = await othersMail(this.#services, user, owner, 0);
    if (unnumbered === undefined) return undefined;
    const { account, release } = unnumbered;
    let listener: Listener | undefined;
    try {
      const shares = sharedMailboxes(unnumbered).length > 0;
      const number = shares ? (await ownerNumbers(this.#user, [owner])).get(owner) : undefined;
      if (number === undefined) this.#without.add(owner);
      if (number === undefined || this.#closed) return undefined;
      listener = account.listen();
      listener.onPending = this.#onPending;
      const mail = { ...unnumbered, base: baseOf(number) };
      const followed = { mail, listener, told: new Map() };
      this.#followed.set(owner, followed);
      return followed;
    } finally {
      if (listener === undefined) release();
    }
  }

  #leave(owner: string, { mail, listener, told }: Followed): ApiChange[] {
    this.#followed.delete(owner);
    listener.close();
    mail.release();
    return [...told.keys()].map((id) => ({ kind: "mailboxRemove", id: id + mail.base }));
  }

  /** What is new of the mailboxes of an account. */
  #mailboxes(owner: string, { mail, told }: Followed): ApiChange[] {
    const changes: ApiChange[] = [];
    const now = new Map<MailboxId, ApiMailbox>();
    for (const { mailbox, rights } of sharedMailboxes(mail)) {
      const named = { ...mailboxItem(mailbox), name: `${otherUsers}/${owner}/${mailbox.name}` };
      if (!rights.includes("r")) named.keywords = [];
      const shared = { owner: this.#nameOf(owner), rights };
      now.set(mailbox.id, { ...mailboxFrom(mail.base, named), ...noCounts, shared });
    }
    for (const id of told.keys()) {
      if (!now.has(id)) changes.push({ kind: "mailboxRemove", id: id + mail.base });
    }
    for (const [id, m] of now) {
      if (JSON.stringify(m) === JSON.stringify(told.get(id))) continue;
      changes.push({ kind: "mailboxAdd", mailbox: { ...m, ...countsOf(mail, id) } });
    }
    told.clear();
    for (const [id, m] of now) told.set(id, m);
    return changes;
  }

  #nameOf(owner: string): string {
    const name = this.#services.config.account(owner)?.FullName ?? "";
    return name === "" ? owner : `${name} (${owner})`;
  }

  /**
   * What has changed since. Of messages only what concerns the view, where the user may read them.
   * @param of the mail that the view shows
   */
  async take(view: ListView | undefined, of: Mail | undefined): Promise<
    { changes: ApiChange[]; stale: boolean }
  > {
    const changes: ApiChange[] = [];
    let stale = false;
    for (const [owner, followed] of this.#followed) {
      const { mail, listener, told } = followed;
      if (!listener.pending) continue;
      const taken = listener.take();
      if (taken.some((c) => ofMailboxes.has(c.kind))) {
        changes.push(...this.#mailboxes(owner, followed));
      }
      const counted = new Set(taken.map((c) => c.kind === "mailboxCounts" ? c.mailboxId : 0));
      for (const id of told.keys()) {
        if (!counted.has(id)) continue;
        changes.push({
          kind: "mailboxCounts",
          id: id + mail.base,
          counts: countsOf(mail, id),
        });
      }
      if (view === undefined || mail !== of) continue;
      const readable = mayRead(mail);
      const ofMessages = taken.filter((c) =>
        (c.kind === "addMessage" || c.kind === "removeMessages" || c.kind === "changeFlags") &&
        readable(c.mailboxId)
      );
      // Only messages in the user's own inbox are reported as new arrivals.
      const found = await tellChanges(mail.account, view, ofMessages, Infinity);
      stale ||= found.stale;
      changes.push(...found.changes.map((c) => changeFrom(mail.base, c)));
    }
    return { changes, stale };
  }

  close(): void {
    this.#closed = true;
    for (const [owner, followed] of this.#followed) this.#leave(owner, followed);
  }
}

const noCounts = { total: 0, unread: 0, unseen: 0, deleted: 0, size: 0 };

/** None where the user may not read. */
function countsOf(mail: Mail, id: MailboxId): typeof noCounts {
  const m = mail.account.mailbox(id);
  if (m === undefined || !mayRead(mail)(id)) return noCounts;
  const { total, unread, unseen, deleted, size } = m;
  return { total, unread, unseen, deleted, size };
}

/** A change of messages with the page's ids. */
function changeFrom(base: number, c: ApiChange): ApiChange {
  switch (c.kind) {
    case "threads":
      return {
        ...c,
        threads: c.threads.map((t) => threadFrom(base, t)),
        parts: c.parts.map((p) => partFrom(base, p)),
      };
    case "messagesRemove":
      return { ...c, ids: c.ids.map((id) => id + base) };
    case "flags":
      return { ...c, items: c.items.map((i) => ({ ...i, id: i.id + base })) };
    case "arrived":
      return { ...c, item: messageFrom(base, c.item) };
    default:
      return c;
  }
}
