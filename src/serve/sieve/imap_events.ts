/**
 * Scripts for what happens in IMAP (RFC 6785): messages that are appended, copied or moved, and flags that change. The
 * mailbox names the script in its annotation `/shared/imapsieve/script`, or else the account itself does.
 *
 * They run in the background, for one account one after the other; what they change causes no further events. An event
 * is durable before the client is answered: should the process end, the next one goes on with it, and if the account moves to
 * another node meanwhile, that one does.
 *
 * @module
 */
import type { MailboxId } from "../../store/ids.ts";
import type { Config } from "../../config/mod.ts";
import { accountMailboxes, localZone, serverEnvironment } from "../../delivery/sieve/context.ts";
import { flagsOf, mailboxFor } from "../../delivery/sieve/filing.ts";
import { AddressLists } from "../../delivery/sieve/lists.ts";
import type { NotedEvent } from "../../delivery/sieve/events.ts";
import type { DoneStep } from "../../delivery/sieve/done_log.ts";
import type { ImapChange } from "../../imap/server/mod.ts";
import { Log } from "../../log/mod.ts";
import { unpackStructure } from "../../mail/structure/packed.ts";
import { countPanic } from "../../metrics/mod.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Queue } from "../../queue/mod.ts";
import {
  executeSieveAsync,
  problemText,
  type Redirect,
  SieveMail,
  type SieveResult,
  type SieveScript,
} from "../../sieve/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { type FetchRow, Flag, type MessageReader, Want } from "../../store/types.ts";
import type { SieveServices } from "../arrival/services.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import { demands, queuedOnce } from "./sending.ts";
import { maxHeader, vouches } from "../onward/vouch.ts";

const log = new Log("sieve");
/** Name of the annotation (RFC 6785 §2.3.1). */
const entry = "/shared/imapsieve/script";
/** Messages of one event on which the script is run; and waiting events of an account. */
const mostMessages = 10_000;
const mostWaiting = 1000;

export interface EventServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  tempDir: string;
  sieve: SieveServices;
}

export class ImapEvents {
  readonly #s: EventServices;
  readonly #running = new Map<string, { waiting: number; last: Promise<void> }>();
  /** Ids of the events that wait or run. */
  readonly #known = new Set<string>();
  #stopped = false;

  constructor(services: EventServices) {
    this.#s = services;
  }

  /** Records an event, durable when it resolves. It neither fails nor waits for the script. */
  async note(change: ImapChange): Promise<void> {
    const { account, login, cause, mailboxId, changedFlags } = change;
    try {
      const script = this.#scriptFor(account, mailboxId);
      if (!script || change.uids.length === 0) return;
      if ((this.#running.get(account.name)?.waiting ?? 0) >= mostWaiting) return;
      const uids = [...Uint32Array.from(change.uids).subarray(0, mostMessages).sort()];
      const { noted, durable } = this.#s.sieve.db.events.add({
        ...{ account: account.name, login, cause, mailboxId, uids, changedFlags },
      });
      account.acquire();
      this.#enqueue(noted, async () => {
        try {
          return await this.#run(account, noted, script);
        } finally {
          account.close();
        }
      });
      await durable;
    } catch (err) {
      log.error("noting an IMAP event", { err: err as Error, account: account.name });
    }
  }

  /**
   * Continues with the events that the previous process, or the node that had the account before, did not finish.
   * @param account of all accounts if not given
   */
  resume(account?: string): void {
    const left = this.#s.sieve.db.events.open(account).filter((e) => !this.#known.has(e.id));
    if (left.length > 0) log.info("going on with IMAP events", { events: left.length });
    for (const noted of left) this.#enqueue(noted, () => this.#resumed(noted));
  }

  /** @returns whether the event is finished */
  async #resumed(noted: NotedEvent): Promise<boolean> {
    const { config, accounts } = this.#s;
    if (!config.account(noted.account)) return true;
    if (!config.isHere(noted.account) || this.#paused(noted.account)) return false;
    const account = await accounts.open(noted.account).catch((err) => {
      this.#failed(noted.account, err);
    });
    // Too many are open, or its files are damaged: the next start tries again.
    if (!account) return false;
    try {
      const script = this.#scriptFor(account, noted.mailboxId);
      return script === undefined || await this.#run(account, noted, script);
    } finally {
      account.close();
    }
  }

  /** Whether events have to wait: for the next start, or until the account is at another node. */
  #paused(account: string): boolean {
    return this.#stopped || this.#s.accounts.isLeaving(account);
  }

  /**
   * Runs an event after those of the account that are waiting.
   * @param run tells whether the event is finished; one that fails is
   */
  #enqueue(noted: NotedEvent, run: () => Promise<boolean>): void {
    const { account, id } = noted;
    const queue = this.#running.get(account) ?? { waiting: 0, last: Promise.resolve() };
    this.#running.set(account, queue);
    queue.waiting++;
    this.#known.add(id);
    queue.last = queue.last.then(run).catch((err) => {
      this.#failed(account, err);
      return true;
    }).then((finished) => {
      if (--queue.waiting === 0) this.#running.delete(account);
      this.#known.delete(id);
      if (finished) this.#s.sieve.db.events.done(id);
    }).catch((err) => this.#failed(account, err));
  }

  #failed(account: string, err: unknown): void {
    countPanic("managesieve");
    log.error("running a script for an IMAP event", { err: err as Error, account });
  }

  /** Ends after the messages under way; the next start goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#running.values()].map((q) => q.last));
  }

  #scriptFor(account: Account, mailboxId: MailboxId): SieveScript | undefined {
    const { annotation } = accountMailboxes(account);
    const box = account.mailbox(mailboxId);
    const name = (box && annotation(box.name, entry)) ?? annotation("", entry);
    if (!name) return undefined;
    const found = this.#s.sieve.db.scripts.compiled(account.name, name);
    return Array.isArray(found) ? undefined : found as SieveScript | undefined;
  }

  /** @returns whether the event is finished: not where it has to wait */
  async #run(account: Account, event: NotedEvent, script: SieveScript): Promise<boolean> {
    const { mailboxId } = event;
    const uids = Uint32Array.from(event.uids.filter((uid) => uid > event.through));
    for (let at = 0; at < uids.length; at += 20) {
      const rows: FetchRow[] = [];
      account.fetch(mailboxId, uids.subarray(at, at + 20), Want.Content | Want.Summary, (row) => {
        rows.push(row.kept());
      });
      for (const row of rows) {
        if (this.#paused(account.name)) return false;
        const reader = account.openRow(row);
        try {
          await this.#runOn(account, event, script, row, reader);
        } catch (err) {
          // The others have their turn all the same.
          this.#failed(account.name, err);
        } finally {
          reader.close();
        }
        this.#s.sieve.db.events.through(event.id, row.uid);
      }
    }
    return true;
  }

  async #runOn(
    account: Account,
    event: NotedEvent,
    script: SieveScript,
    row: FetchRow,
    reader: MessageReader,
  ): Promise<void> {
    const { login, mailboxId } = event;
    const { db, site } = this.#s.sieve;
    const shift = row.prefix.length;
    const mailbox = account.mailbox(mailboxId)?.name ?? "";
    const imap: Readonly<Record<string, string>> = {
      location: "MS",
      phase: "post",
      "imap.user": login,
      "imap.email": login.includes("@") ? login : "",
      "imap.cause": event.cause,
      "imap.mailbox": mailbox,
      "imap.changedflags": event.changedFlags.join(" "),
    };
    const lists = await AddressLists.of(account, [script]);
    const result = await executeSieveAsync([script], {
      message: new SieveMail({
        prefix: row.prefix,
        size: Math.max(0, reader.size - shift),
        read: (from, to) => reader.read(from + shift, Math.max(from, to) + shift),
        root: unpackStructure(row.structure),
      }),
      envelope: { from: undefined, to: undefined },
      mailboxes: accountMailboxes(account),
      now: Date.now(),
      zone: localZone,
      environment: (name) =>
        Object.hasOwn(imap, name)
          ? imap[name]
          : serverEnvironment(this.#s.config.static.Hostname, name),
      inList: (list, value) => lists.has(list, value),
      include: (name, where) =>
        where === "personal" ? db.scripts.compiled(account.name, name) : site.global(name),
      seen: (key) => db.memory.seen(account.name, key),
      spamScore: undefined,
      virus: undefined,
      isOwnAddress: () => false,
      keepMailbox: mailbox,
      separators: ["+"],
    });
    const steps = await this.#carryOut(account, event, row, reader, result);
    await db.memory.remember(account.name, result.remembered);
    if (steps.length === 0 && !result.error) return;
    db.log.add(account.name, row.emailId, {
      from: row.summary.from[0]?.address ?? "",
      subject: row.summary.subject,
      steps,
      error: result.error && problemText(result.error, result.error.script),
    });
  }

  async #carryOut(
    account: Account,
    event: NotedEvent,
    row: FetchRow,
    reader: MessageReader,
    result: SieveResult,
  ): Promise<DoneStep[]> {
    const { mailboxId } = event;
    const steps: DoneStep[] = [];
    if (result.error) return steps;
    const uids = [row.uid];
    for (const a of result.actions) {
      const done = (text: string) => steps.push({ script: a.script, line: a.line, text });
      if (a.kind === "keep" && a.flags !== undefined) {
        const { flags, keywords } = flagsOf(a.flags);
        await account.storeFlags(mailboxId, uids, "add", flags, keywords);
        done(`marked with ${a.flags.join(" ")}`);
      } else if (a.kind === "fileinto") {
        const name = mailboxFor(account, a.filing);
        const to = account.mailboxByName(name)?.id ??
          (await account.createMailbox(name)).mailbox.id;
        const { toUids } = await account.copy(mailboxId, uids, to);
        const { flags, keywords } = flagsOf(a.filing.flags);
        if (flags !== 0 || keywords.length > 0) {
          await account.storeFlags(to, toUids, "add", flags, keywords);
        }
        done(`copied to ${name}`);
      } else if (a.kind === "redirect") {
        await this.#send(account, event, row, reader, a.redirect);
        done(`sent to ${a.redirect.address}`);
      }
    }
    // RFC 6785 §3.8: a message that isn't kept is marked, for IMAP to expunge.
    if (!result.actions.some((a) => a.kind === "keep")) {
      await account.storeFlags(mailboxId, uids, "add", Flag.Deleted, []);
      steps.push({ script: "", line: 0, text: "marked as deleted" });
    }
    return steps;
  }

  /** Sends the message to another address, such as for spam reports. */
  async #send(
    account: Account,
    event: NotedEvent,
    row: FetchRow,
    reader: MessageReader,
    to: Redirect,
  ): Promise<void> {
    const bytes = reader.read(0, reader.size);
    const { notify, ...demanded } = demands(to);
    const { login } = event;
    const from = this.#s.config.accountFor(login) === account.name ? login : "";
    const domain = from.slice(from.lastIndexOf("@") + 1);
    const { messageId } = row.summary;
    const note = {
      key: `${event.id} ${row.uid} ${to.address}`,
      ...{ account: account.name, address: to.address, messageId },
    };
    const { config, queue } = this.#s;
    const add = (file: string, onAdded: () => void) =>
      queueOutgoing({ config, queue }, {
        onAdded,
        senderAccount: account.name,
        fromDomain: domain,
        // A message in a mailbox may be by anybody: our signature would claim that it is by its From.
        unsigned: !vouches(domain, bytes.subarray(0, maxHeader), undefined),
        mailFrom: from,
        recipients: [{ address: to.address, notify }],
        ...demanded,
        file,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: bytes.some((b) => b >= 128),
        requireTls: false,
        messageId,
        subject: row.summary.subject,
        isDsn: from === "",
      });
    await withTempFile(
      this.#s.tempDir,
      "sieve-",
      bytes,
      (file) => queuedOnce(this.#s.sieve.db.memory, note, (onAdded) => add(file, onAdded)),
    );
  }
}
