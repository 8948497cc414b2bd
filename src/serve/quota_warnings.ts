/**
 * Messages to users whose account fills up: at 80 and 95 % of its quota, and when it is full. Each is sent once, and
 * again only after the account was below the level and a day has passed, so that fluctuations don't cause a flood.
 *
 * Warnings sent are recorded in quotawarnings.json of the data folder. A warning is recorded as pending, with its
 * Message-ID, before it is delivered, and as sent afterwards: after a crash in between, the account is searched for
 * the message, so that none is lost and none is sent twice.
 *
 * @module
 */
import * as v from "valibot";
import type { Config } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { formatDate } from "../mail/header/date.ts";
import { withTempFile, writeFileAtomic } from "../platform/files.ts";
import type { Account } from "../store/account/account.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { emailsOfMessageId } from "../store/emails/message_ids.ts";
import { sizeText } from "./size_text.ts";

const log = new Log("quota");
/** Shares of the quota, in percent, that trigger a message. */
const levels = [80, 95, 100] as const;
/** Milliseconds between two warnings of one level to an account. */
const again = 24 * 3600_000;

const Said = v.object({
  /** The highest level warned of that usage has not fallen below since; 0 for none. */
  level: v.number(),
  /** When each level was last warned of, by its percentage. */
  at: v.record(v.string(), v.number()),
  /** A warning that is being delivered. */
  underWay: v.optional(v.object({ level: v.number(), messageId: v.string() })),
});
type Said = v.InferOutput<typeof Said>;
/** By account. */
const Saids = v.array(v.tuple([v.string(), Said]));

export interface QuotaWarningOptions {
  config: Config;
  accounts: Accounts;
  tempDir: string;
  now?: () => number;
}

/**
 * The level that an account has reached; 0 for none.
 * @param refused a message was refused because of the quota: this counts as full, unless the message was large
 */
export function levelOf(used: number, limit: number, refused = false): number {
  const percent = used / limit * 100;
  if (refused && percent >= 95) return 100;
  return levels.findLast((l) => percent >= l) ?? 0;
}

/** Watches usage, and warns. */
export class QuotaWarnings {
  readonly #o: QuotaWarningOptions;
  readonly #file: string;
  readonly #said = new Map<string, Said>();
  /** Pending work per account, run one at a time. */
  readonly #busy = new Map<string, Promise<void>>();
  /** Writes of the file, run one at a time. */
  #writing: Promise<void> = Promise.resolve();
  #ended = false;

  private constructor(options: QuotaWarningOptions) {
    this.#o = options;
    this.#file = options.config.dataPath("quotawarnings.json");
  }

  /** Reads what was recorded before. Starts empty if the file can't be read. */
  static async open(options: QuotaWarningOptions): Promise<QuotaWarnings> {
    const q = new QuotaWarnings(options);
    try {
      const saids = v.parse(Saids, JSON.parse(await Deno.readTextFile(q.#file)));
      for (const [name, said] of saids) q.#said.set(name, said);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) {
        log.warn("which warnings were given before can't be read, beginning anew", {
          file: q.#file,
        });
      }
    }
    return q;
  }

  /** Follows an account that was opened. */
  attach(account: Account): void {
    account.onUsage = (refused) => {
      const limit = this.#limit(account.name);
      if (limit === undefined || this.#ended) return;
      const now = levelOf(account.quota().messageSize.used, limit, refused);
      // The usual case: below all levels, or unchanged.
      if (now === (this.#said.get(account.name)?.level ?? 0) && !this.#busy.has(account.name)) {
        return;
      }
      this.#then(account.name, () => this.#look(account.name, now));
    };
  }

  /** Finishes warnings that a crash left pending. */
  start(): void {
    for (const [name, s] of this.#said) {
      if (s.underWay !== undefined && this.#limit(name) !== undefined) {
        this.#then(name, () => this.#look(name));
      }
    }
  }

  /** The quota of an account; undefined if it has none, or wants no warnings. */
  #limit(name: string): number | undefined {
    const { config } = this.#o;
    const account = config.account(name);
    if (account === undefined || account.NoQuotaWarnings || config.static.NoQuotaWarnings) {
      return undefined;
    }
    return config.isHere(name) ? config.quotaMessageSize(name) : undefined;
  }

  #then(name: string, fn: () => Promise<void>): void {
    const work = (this.#busy.get(name) ?? Promise.resolve()).then(fn).catch((err) =>
      log.error("warning of a full account", { err: err as Error, account: name })
    ).finally(() => {
      if (this.#busy.get(name) === work) this.#busy.delete(name);
    });
    this.#busy.set(name, work);
  }

  /**
   * Warns if the level has risen. Full stays full until usage falls below the preceding level, as small messages still fit.
   * @param seen the observed level; the current one if not given
   */
  async #look(name: string, seen?: number): Promise<void> {
    const s: Said = this.#said.get(name) ?? { level: 0, at: {} };
    this.#said.set(name, s);
    const time = this.#o.now?.() ?? Date.now();
    const account = await this.#o.accounts.open(name);
    try {
      if (s.underWay !== undefined) await this.#deliver(account, s, s.underWay.level, time);
      const limit = this.#limit(name);
      if (limit === undefined) return;
      const now = seen ?? levelOf(account.quota().messageSize.used, limit);
      const lower = now < s.level && !(s.level === 100 && now === 95);
      if (lower) s.level = now;
      if (now > s.level && time - (s.at[now] ?? -Infinity) >= again) {
        s.underWay = { level: now, messageId: `<${crypto.randomUUID()}@${this.#hostname}>` };
        await this.#write();
        await this.#deliver(account, s, now, time);
      } else if (lower) await this.#write();
    } finally {
      account.close();
    }
  }

  get #hostname(): string {
    return this.#o.config.static.Hostname;
  }

  /** Delivers the pending warning, unless the account has it, and records it as sent. */
  async #deliver(account: Account, said: Said, level: number, time: number): Promise<void> {
    const { messageId } = said.underWay!;
    if (emailsOfMessageId(account, messageId.slice(1, -1)).length === 0) {
      const bytes = new TextEncoder().encode(this.#message(account, level, messageId));
      await withTempFile(this.#o.tempDir, "quota-", bytes, async (path) => {
        await account.deliver("Inbox", {
          file: path,
          fileSize: bytes.length,
          fileSynced: true,
          prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
          overQuota: true,
        });
      });
      log.info("warned of the quota", { account: account.name, percent: level });
    }
    said.underWay = undefined;
    said.level = Math.max(said.level, level);
    said.at[level] = time;
    await this.#write();
  }

  #message(account: Account, level: number, messageId: string): string {
    const { used } = account.quota().messageSize;
    const limit = this.#limit(account.name) ?? used;
    const to = this.#o.config.accountAddresses(account.name).find((a) => /^[!-?A-~]+@[^@]/.test(a));
    const full = level === 100;
    return [
      `From: <postmaster@${this.#hostname}>`,
      `To: ${to === undefined ? "undisclosed-recipients:;" : `<${to}>`}`,
      `Subject: ${full ? "Your mailbox is full" : `Your mailbox is ${level}% full`}`,
      `Date: ${formatDate(new Date(this.#o.now?.() ?? Date.now()))}`,
      `Message-ID: ${messageId}`,
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
      "",
      `Messages in your account ${account.name} take ${sizeText(used)} of ${sizeText(limit)}.`,
      full
        ? "What doesn't fit is refused: senders are answered that the mailbox is full, and try again for some days."
        : "When it is full, new messages are refused.",
      "",
      "Remove messages that you don't need, and those in the trash, or ask the administrator for more room.",
      "You get one such message at 80%, at 95% and when the mailbox is full. The account page switches them off.",
      "",
    ].join("\r\n");
  }

  /** Writes the record, without accounts that no longer exist. Durable when it resolves. */
  #write(): Promise<void> {
    const write = async () => {
      for (const name of this.#said.keys()) {
        if (this.#o.config.account(name) === undefined) this.#said.delete(name);
      }
      const text = `${JSON.stringify([...this.#said])}\n`;
      await writeFileAtomic(this.#file, new TextEncoder().encode(text));
    };
    return this.#writing = this.#writing.catch(() => {}).then(write);
  }

  /** Resolves when no warning is pending. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  /** Stops watching, and finishes pending warnings. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.settled();
  }
}
