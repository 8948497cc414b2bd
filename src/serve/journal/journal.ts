/**
 * Copies of all mail of a domain (Journal in domains.conf), to a mailbox here or an address elsewhere. A copy is on disk
 * before its message is accepted or sent: what can't be copied is refused for now, and its sender tries again.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { KeyError } from "../../encryption/mod.ts";
import { Log } from "../../log/mod.ts";
import { counter } from "../../metrics/mod.ts";
import { resolveFrom } from "../../platform/paths.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { Flag } from "../../store/types.ts";
import { type OutgoingMessage, queueOutgoing } from "../sending/outgoing.ts";
import { type Journaled, type ReportFile, writeReport } from "./report.ts";

const log = new Log("journal");
const copies = counter(
  "mox_journal_copies_total",
  "Copies of mail for the journal of a domain.",
  { direction: ["incoming", "outgoing"], result: ["ok", "error"] },
);

export interface JournalServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  tempDir: string;
}

type Settings = NonNullable<NonNullable<ReturnType<Config["domain"]>>["config"]["Journal"]>;

/** Makes the copies. */
export class Journal {
  readonly #s: JournalServices;

  constructor(services: JournalServices) {
    this.#s = services;
  }

  /** Whether a domain has a journal. */
  wanted(domain: string): boolean {
    return this.#settings(domain) !== undefined;
  }

  #settings(domain: string): Settings | undefined {
    return this.#s.config.domain(domain)?.config.Journal ?? undefined;
  }

  /** Copies what a user sends, if the domain of its author has a journal. */
  async sent(domain: string, message: OutgoingMessage): Promise<void> {
    if (!this.wanted(domain)) return;
    await this.copy(domain, {
      direction: "outgoing",
      mailFrom: message.mailFrom,
      recipients: message.recipients.map((r) => r.address),
      account: message.senderAccount,
      prefix: message.prefix,
      file: message.file,
      fileSize: message.fileSize,
      messageId: message.messageId ?? "",
      subject: message.subject ?? "",
      utf8: message.smtputf8,
      has8bit: message.has8bit,
      binary: message.binary ?? false,
    });
  }

  /**
   * Copies a message for the journal of a domain; durable when it resolves.
   * @throws SmtpError, StoreError, KeyError, file errors: the message must not be accepted then.
   */
  async copy(domain: string, journaled: Journaled): Promise<void> {
    const settings = this.#settings(domain);
    if (settings === undefined) return;
    try {
      const to = settings.Address;
      const report = await writeReport(journaled, {
        from: `postmaster@${domain}`,
        to,
        host: this.#s.config.static.Hostname,
        tempDir: this.#s.tempDir,
        key: await this.#key(settings),
      });
      try {
        const account = this.#s.config.accountFor(to);
        if (account !== undefined && this.#s.config.isHere(account)) {
          await this.#keep(account, settings.Mailbox, journaled, report);
        } else {
          await this.#send(domain, to, journaled, report);
        }
      } finally {
        report.remove();
      }
      copies.inc({ direction: journaled.direction, result: "ok" });
    } catch (err) {
      copies.inc({ direction: journaled.direction, result: "error" });
      log.error("copy for the journal of a domain: its mail is refused for now", {
        err: err as Error,
        domain,
      });
      throw err;
    }
  }

  async #key(settings: Settings): Promise<string | undefined> {
    if (settings.KeyFile === "") return undefined;
    const path = resolveFrom(this.#s.config.dir, settings.KeyFile);
    try {
      return (await Deno.readTextFile(path)).trim();
    } catch (err) {
      throw new KeyError(`${path}: ${(err as Error).message}`);
    }
  }

  async #keep(
    name: string,
    mailbox: string,
    journaled: Journaled,
    report: ReportFile,
  ): Promise<void> {
    const account = await this.#s.accounts.open(name);
    try {
      await account.deliver(mailbox, {
        file: report.path,
        fileSize: report.size,
        fileSynced: true,
        prefix: new Uint8Array(0),
        // Not new mail for anybody.
        flags: Flag.Seen,
        noTrain: true,
      });
      log.debug("copied", { direction: journaled.direction, account: name, mailbox });
    } finally {
      account.close();
    }
  }

  async #send(domain: string, to: string, journaled: Journaled, report: ReportFile): Promise<void> {
    const message: OutgoingMessage = {
      // Lower priority than mail that people have written.
      priority: -1,
      senderAccount: this.#s.config.static.Postmaster.Account,
      fromDomain: domain,
      // The postmaster is notified of copies that don't arrive.
      mailFrom: `postmaster@${domain}`,
      recipients: [{ address: to }],
      file: report.path,
      fileSize: report.size,
      prefix: new Uint8Array(0),
      smtputf8: journaled.utf8,
      has8bit: journaled.has8bit || journaled.utf8,
      binary: journaled.binary,
      requireTls: false,
      messageId: "",
      subject: `Journal: ${journaled.subject}`,
      ofJournal: true,
    };
    await queueOutgoing(this.#s, message);
  }
}
