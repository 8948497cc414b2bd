/**
 * The monthly report of a domain, for its Administrators, or the postmaster if it has none: the amount of mail,
 * compared with the month before, and the disk space of accounts.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import { withTempFile } from "../../platform/files.ts";
import { giveWay } from "../../platform/turns.ts";
import type { Account } from "../../store/account/account.ts";
import { emailsOfMessageId } from "../../store/emails/message_ids.ts";
import { sizeText } from "../size_text.ts";
import { monthBefore, type MonthCounts, monthOf } from "./counts.ts";
import { deliverToPostmaster, noticeText, type PostmasterServices } from "../postmaster.ts";

const log = new Log("months");
/** Milliseconds between looks at the calendar, and until the first. */
const lookEvery = 3600_000;
const firstAfter = 3 * 60_000;
/** Accounts that a report names: the largest ones. */
const maxAccounts = 20;

export interface MonthReportOptions extends PostmasterServices {
  counts: MonthCounts;
  now?: () => number;
}

interface Room {
  account: string;
  used: number;
  /** Undefined without one. */
  limit: number | undefined;
}

/** Accounts on this server with addresses of a domain. */
function accountsOf(config: Config, domain: string): string[] {
  return config.accountsHere().filter((name) =>
    config.accountAddresses(name).some((a) =>
      config.domain(a.slice(a.lastIndexOf("@") + 1))?.name.ascii === domain
    )
  );
}

async function roomOf(options: MonthReportOptions, name: string): Promise<Room> {
  const account = await options.accounts.open(name);
  try {
    const { used } = account.quota().messageSize;
    return { account: name, used, limit: options.config.quotaMessageSize(name) };
  } finally {
    account.close();
  }
}

/** The lines of a report. */
export async function monthReport(
  options: MonthReportOptions,
  domain: string,
  month: string,
): Promise<string[]> {
  const now = options.counts.of(month, domain);
  const before = options.counts.of(monthBefore(month), domain);
  const line = (what: string, key: keyof typeof now) =>
    `${what.padEnd(40)}${String(now[key]).padStart(10)}${String(before[key]).padStart(14)}`;
  const rooms: Room[] = [];
  for (const name of accountsOf(options.config, domain)) {
    rooms.push(await roomOf(options, name));
    await giveWay();
  }
  rooms.sort((a, b) => b.used - a.used);
  return [
    `${"".padEnd(40)}${month.padStart(10)}${"before".padStart(14)}`,
    line("messages received, by recipient", "received"),
    line("refused of them", "refused"),
    line("messages sent", "sent"),
    line("their recipients", "recipients"),
    "",
    `${rooms.length} accounts take ${sizeText(rooms.reduce((sum, r) => sum + r.used, 0))}${
      rooms.length > maxAccounts ? `; the largest ${maxAccounts}:` : ":"
    }`,
    "",
    ...rooms.slice(0, maxAccounts).map((room) => {
      const of = room.limit === undefined
        ? ""
        : ` of ${sizeText(room.limit)}, ${Math.floor(100 * room.used / room.limit)} %`;
      return `  ${room.account}: ${sizeText(room.used)}${of}`;
    }),
  ];
}

/** Sends reports after the end of each month. */
export class MonthReports {
  readonly #o: MonthReportOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<unknown> | undefined;
  #ended = false;

  constructor(options: MonthReportOptions) {
    this.#o = options;
  }

  start(): void {
    this.#sleep(firstAfter);
  }

  #sleep(ms: number): void {
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look().finally(() => this.#sleep(lookEvery));
    }, ms);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Sends the reports of the last month that haven't been sent yet. */
  async look(): Promise<void> {
    const { config, counts } = this.#o;
    const month = monthBefore(monthOf(this.#o.now?.() ?? Date.now()));
    for (const [name, d] of config.dynamic.Domains) {
      if (this.#ended) return;
      const domain = config.domain(name)?.name.ascii ?? name;
      if (!d.MonthlyReport || counts.wasReported(month, domain)) continue;
      try {
        const lines = await monthReport(this.#o, domain, month);
        const here = d.Administrators.filter((name) => config.isHere(name));
        const to = here.length > 0 ? here : [config.static.Postmaster.Account];
        for (const name of to) await this.#deliver(name, domain, month, lines);
        await counts.setReported(month, domain);
        log.info("report of a month", { domain, month, accounts: to.join(" ") });
      } catch (err) {
        log.error("report of a month", { err: err as Error, domain });
      }
    }
  }

  async #deliver(name: string, domain: string, month: string, lines: string[]): Promise<void> {
    if (!this.#o.config.isHere(name)) {
      await deliverToPostmaster(this.#o, `${domain} in ${month}`, lines);
      return;
    }
    const account = await this.#o.accounts.open(name);
    try {
      // Stable for a report: after a crash nobody gets it twice.
      const id = `month.${month}.${domain}@${this.#o.config.static.Hostname}`;
      if (emailsOfMessageId(account, id).length > 0) return;
      await this.#put(account, domain, month, id, lines);
    } finally {
      account.close();
    }
  }

  async #put(
    account: Account,
    domain: string,
    month: string,
    id: string,
    lines: string[],
  ): Promise<void> {
    const { static: s } = this.#o.config;
    const mailbox = account.name === s.Postmaster.Account ? s.Postmaster.Mailbox : "Inbox";
    const text = noticeText({
      hostname: s.Hostname,
      to: "undisclosed-recipients:;",
      subject: `${domain} in ${month}`,
      messageId: id,
      date: new Date(this.#o.now?.() ?? Date.now()),
    }, [...lines, "", "MonthlyReport of the domain in domains.conf switches these reports off."]);
    const bytes = new TextEncoder().encode(text);
    await withTempFile(this.#o.tempDir, "month-", bytes, async (path) => {
      await account.deliver(mailbox, {
        file: path,
        fileSize: bytes.length,
        fileSynced: true,
        prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
      });
    });
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
