/**
 * Removes messages that have been in their mailbox for longer than Retention in mox.conf or the account allows, once a
 * day.
 *
 * The time of the last run is kept in retention.json of the data folder, so that a server which is restarted every day
 * does it too. An account with LegalHold is skipped; this is checked again before each removal.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { giveWay } from "../platform/turns.ts";
import type { Account } from "../store/account/account.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { agedUids } from "../store/messages/aged.ts";
import { type Mailbox, specialUseNames } from "../store/types.ts";

const log = new Log("retention");
/** Milliseconds of a day, between removals, and between checks of the clock. */
const day = 24 * 3600_000;
const lookEvery = 3600_000;
const firstAfter = 5 * 60_000;

export interface RetentionOptions {
  config: Config;
  accounts: Accounts;
  now?: () => number;
}

/** An account's settings on the age of its mail. */
export interface OwnRules {
  Retention: ReadonlyMap<string, number>;
  LegalHold: boolean;
}

/**
 * Days that messages of a mailbox are kept; undefined without limit. The account's rules take precedence over the server's,
 * and those for the mailbox's name over those for its special use.
 * @param own rules to use in place of the account's
 */
export function keptDays(
  config: Config,
  account: string,
  mailbox: Pick<Mailbox, "name" | "specialUse">,
  own?: OwnRules,
): number | undefined {
  const a = own ?? config.account(account);
  if (a === undefined || a.LegalHold) return undefined;
  const uses = specialUseNames.filter(([bit]) => mailbox.specialUse & bit).map(([, name]) => name);
  for (const rules of [a.Retention, config.static.Retention]) {
    const named = rules.get(mailbox.name);
    if (named !== undefined) return named || undefined;
    const days = uses.map((use) => rules.get(use)).filter((d) => d !== undefined);
    // Of two uses the longer time applies; 0 means no limit.
    if (days.length > 0) return days.includes(0) ? undefined : Math.max(...days);
  }
  return undefined;
}

/** The rules that apply to the mailboxes of an account, by name. */
export function retentionOf(
  config: Config,
  account: Account,
): { mailbox: string; days: number }[] {
  return account.mailboxes().flatMap((mailbox) => {
    const days = keptDays(config, account.name, mailbox);
    return days === undefined ? [] : [{ mailbox: mailbox.name, days }];
  }).sort((a, b) => a.mailbox < b.mailbox ? -1 : 1);
}

/** Removes an account's messages that are too old. @returns messages by mailbox */
async function cleanUp(options: RetentionOptions, account: Account): Promise<Map<string, number>> {
  const removed = new Map<string, number>();
  for (const { id, name } of account.mailboxes()) {
    for (let after: number | undefined = 0; after !== undefined;) {
      // Rules, names and uses may change while others run.
      const mailbox = account.mailbox(id);
      const days = mailbox && keptDays(options.config, account.name, mailbox);
      if (days === undefined) break;
      const before = (options.now?.() ?? Date.now()) - days * day;
      const { uids, last } = agedUids(account.db, id, before, after);
      after = last;
      if (uids.length > 0) {
        const gone = await account.expunge(id, uids, undefined, { force: true });
        removed.set(name, (removed.get(name) ?? 0) + gone.uids.length);
      }
      await giveWay();
    }
  }
  return removed;
}

/** What would be removed from a mailbox. */
export interface AgedMail {
  mailbox: string;
  /** Days that its messages are kept. */
  days: number;
  messages: number;
  /** Bytes of them. */
  size: number;
}

/**
 * What would be removed from an account now; rules that remove nothing have 0 messages.
 * @param own rules to try in place of the account's
 */
export async function agedMail(
  options: RetentionOptions,
  account: Account,
  own?: OwnRules,
): Promise<AgedMail[]> {
  const found: AgedMail[] = [];
  for (const { id, name } of account.mailboxes()) {
    const mailbox = account.mailbox(id);
    const days = mailbox && keptDays(options.config, account.name, mailbox, own);
    if (days === undefined) continue;
    const before = (options.now?.() ?? Date.now()) - days * day;
    const sum: AgedMail = { mailbox: name, days, messages: 0, size: 0 };
    for (let after: number | undefined = 0; after !== undefined;) {
      const { uids, last } = agedUids(account.db, id, before, after);
      after = last;
      if (uids.length > 0) {
        account.fetch(id, uids, 0, (row) => {
          sum.messages++;
          sum.size += row.size;
        });
      }
      await giveWay();
    }
    found.push(sum);
  }
  return found;
}

/** Removes messages that are too old from all accounts of this server, one at a time. @returns by account and mailbox */
export async function applyRetention(
  options: RetentionOptions,
  ended: () => boolean = () => false,
): Promise<Map<string, Map<string, number>>> {
  const all = new Map<string, Map<string, number>>();
  for (const name of options.config.accountsHere()) {
    if (ended()) break;
    const a = options.config.account(name);
    if (a === undefined || a.LegalHold) continue;
    if (a.Retention.size === 0 && options.config.static.Retention.size === 0) continue;
    try {
      const account = await options.accounts.open(name);
      try {
        const removed = await cleanUp(options, account);
        if (removed.size > 0) all.set(name, removed);
        for (const [mailbox, messages] of removed) {
          log.info("removed old messages", { account: name, mailbox, messages });
        }
      } finally {
        account.close();
      }
    } catch (err) {
      log.error("removing old messages", { err: err as Error, account: name });
    }
  }
  return all;
}

/** Runs it once a day until stopped. */
export class Retention {
  readonly #o: RetentionOptions;
  readonly #file: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<unknown> | undefined;
  #ended = false;

  constructor(options: RetentionOptions) {
    this.#o = options;
    this.#file = options.config.dataPath("retention.json");
  }

  start(): void {
    this.#sleep(firstAfter);
  }

  #sleep(ms: number): void {
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look()
        .catch((err) => log.error("removing old messages", { err: err as Error }))
        .finally(() => this.#sleep(lookEvery));
    }, ms);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Runs it if a day has passed since the last time. @returns whether it did */
  async look(): Promise<boolean> {
    const now = this.#o.now?.() ?? Date.now();
    const last = await this.#last();
    // A clock that was wrong must not block it for long.
    if (now >= last && now - last < day) return false;
    await applyRetention(this.#o, () => this.#ended);
    if (this.#ended) return true;
    await writeFileAtomic(
      this.#file,
      new TextEncoder().encode(`${JSON.stringify({ last: now })}\n`),
    );
    return true;
  }

  async #last(): Promise<number> {
    try {
      const { last } = JSON.parse(await Deno.readTextFile(this.#file));
      return typeof last === "number" ? last : -Infinity;
    } catch {
      return -Infinity;
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
