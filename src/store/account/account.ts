/**
 * An open account: the face through which protocols read and change its mail.
 *
 * @module
 */
import { join } from "node:path";
import type { Log } from "../../log/mod.ts";
import { Annotations } from "../mailboxes/annotations.ts";
import { RecentMarks } from "../mailboxes/recent.ts";
import { checkAccount } from "./consistency.ts";
import { Credentials } from "../logins/credentials.ts";
import { Db } from "../database/database.ts";
import { Columns } from "../columns/columns.ts";
import { FulltextIndex } from "../fulltext/index.ts";
import { Groupware } from "../groupware/groupware.ts";
import type { EventChange } from "../groupware/types.ts";
import { countMessages } from "../messages/insert.ts";
import * as changing from "./mailbox_changes.ts";
import type { MailboxId } from "../ids.ts";
import { accountMigrations } from "../database/schema.ts";
import type { Listener } from "../types.ts";
import { takeBackUnfinished } from "../messages/unfinished.ts";
import { type AccountRules, AccountWriter } from "./writer.ts";

/** Checks counts and files at each close. Set in tests; the check reads everything. */
export const consistency = { checkAtClose: false };

/** How much of a limit is used. */
export interface QuotaUse {
  used: number;
  limit: number;
}

export class Account extends AccountWriter {
  readonly dir: string;
  readonly credentials: Credentials;
  readonly annotations: Annotations;
  readonly recent: RecentMarks;
  #fulltext: FulltextIndex | undefined;
  #columns: Columns | undefined;
  #groupware: Promise<Groupware> | undefined;
  /** Called with changes of events in the account's calendars. It doesn't fail. */
  onEventChange: ((change: EventChange) => Promise<void>) | undefined;
  /** Called soon after changes of calendars and address books. */
  onGroupwareChange: (() => void) | undefined;
  #references = 0;
  readonly #onIdle: (account: Account) => void;

  private constructor(
    name: string,
    dir: string,
    db: Db,
    log: Log,
    rules: AccountRules,
    onIdle: (account: Account) => void,
  ) {
    super(name, join(dir, "msg"), db, log, rules);
    this.dir = dir;
    this.credentials = new Credentials(db, this.writer);
    this.annotations = new Annotations(db, this.writer);
    this.recent = new RecentMarks(dir);
    this.#onIdle = onIdle;
  }

  /**
   * Sets annotations of a mailbox and its special uses, all or nothing.
   * @throws StoreError "annotation", "specialUse"
   */
  annotateWithUses(
    mailboxId: MailboxId,
    entries: readonly { key: string; value: Uint8Array | null }[],
    uses: number,
    origin?: Listener,
  ): Promise<void> {
    return this.annotations.set(
      mailboxId,
      entries,
      origin,
      (ctx) => changing.setSpecialUse(this.db, ctx, mailboxId, uses),
    );
  }

  /** Opens the account's folder, created if needed. For Accounts only. */
  static async open(
    name: string,
    dir: string,
    log: Log,
    rules: AccountRules,
    onIdle: (account: Account) => void,
  ): Promise<Account> {
    const db = await Db.open(join(dir, "index.db"), accountMigrations);
    let account: Account | undefined;
    try {
      account = new Account(name, dir, db, log, rules, onIdle);
      await account.#prepare();
      return account;
    } catch (err) {
      // Opening is tried again for each message that comes: nothing may stay open.
      await account?.closeFulltext();
      await db.close();
      throw err;
    }
  }

  /** What an account needs before its first use. */
  async #prepare(): Promise<void> {
    this.emails.removeLeftovers();
    this.#fulltext = await FulltextIndex.open({
      dir: this.dir,
      log: this.log,
      settledBelow: () => this.emails.settledBelow(),
    });
    const columns = new Columns({
      mail: this.db,
      index: this.#fulltext.db,
      settledBelow: () => this.emails.settledBelow(),
    });
    this.#columns = columns;
    this.#fulltext.onIndexed = () => columns.indexed();
    this.#fulltext.onEmptied = () => columns.emptied();
    this.#fulltext.changed();
    await this.credentials.dropUnwanted();
    if (this.mailboxByName("Inbox")) {
      // In slices, alongside everything else; what is unfinished when the account closes is done next time.
      takeBackUnfinished(this).then((n) => {
        if (n > 0) this.log.warn("took back what a crash had left unfinished", { changes: n });
      }, (err) => this.log.info("taking back what is unfinished", { err }));
      return;
    }
    await this.writer.write((ctx) => {
      changing.createMailbox(this.db, ctx, "Inbox");
      for (const m of this.rules.initialMailboxes()) {
        if (!this.mailboxByName(m.name)) {
          changing.createMailbox(this.db, ctx, m.name, m.specialUse);
        }
      }
    });
  }

  /** Adds a user of the account. */
  acquire(): this {
    this.#references++;
    return this;
  }

  /** Drops a user; after the last one the account may be closed. */
  close(): void {
    if (--this.#references === 0) this.#onIdle(this);
  }

  get references(): number {
    return this.#references;
  }

  /** Ends all use: waits for writes under way. For Accounts only. */
  async shutdown(): Promise<void> {
    await this.writer.close();
    try {
      await this.#saveRecent();
      await (await this.#groupware?.catch(() => undefined))?.close();
      if (consistency.checkAtClose) checkAccount(this.db, this.files, this.rows.differences());
    } finally {
      this.rows.clear();
      this.files.close();
      this.#columns?.close();
      await this.fulltext.close();
      await this.db.close();
    }
  }

  async #saveRecent(): Promise<void> {
    const ids = new Set<number>(this.mailboxes().map((m) => m.id));
    try {
      await this.recent.save((id) => ids.has(id));
    } catch (err) {
      // The folder may have been removed with the account.
      this.log.debug("keeping what sessions were told of", { err: err as Error });
    }
  }

  /** Address books and calendars, opened on first use. */
  groupware(): Promise<Groupware> {
    const opening = this.#groupware ??= Groupware.open(this.dir).then((g) => {
      g.onEventChange = async (change) => await this.onEventChange?.(change);
      g.listen(() => this.onGroupwareChange?.());
      return g;
    });
    // It may be tried again.
    opening.catch(() => {
      if (this.#groupware === opening) this.#groupware = undefined;
    });
    return opening;
  }

  protected override filesChanged(gone: boolean): void {
    this.fulltext.changed(gone);
  }

  /** Cleans up after a failure to open. */
  private async closeFulltext(): Promise<void> {
    await this.#fulltext?.close();
  }

  /** The full-text index, which narrows searches. */
  get fulltext(): FulltextIndex {
    return this.#fulltext!;
  }

  /** The values of emails that searches, SORT and THREAD compare. */
  get columns(): Columns {
    return this.#columns!;
  }

  /** Bytes used by messages, and the limit if there is one. */
  quota(): { messageSize: { used: number; limit: number | undefined } } {
    const used = this.db.get("SELECT message_size FROM state")![0] as number;
    return { messageSize: { used, limit: this.rules.quotaMessageSize() } };
  }

  /** Messages and mailboxes, each where there is a limit for it. */
  quotaCounts(): { messages?: QuotaUse; mailboxes?: QuotaUse } {
    const messages = this.rules.quotaMessages?.();
    const mailboxes = this.rules.quotaMailboxes?.();
    return {
      messages: messages === undefined
        ? undefined
        : { used: countMessages(this.db), limit: messages },
      mailboxes: mailboxes === undefined
        ? undefined
        : { used: changing.countMailboxes(this.db), limit: mailboxes },
    };
  }

  listen(): Listener {
    return this.broadcast.listen();
  }
}
