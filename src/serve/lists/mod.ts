/**
 * Mailing lists of the running server: mail to their addresses, mail to their members, and the functions behind
 * their pages. Receiving calls it with messages, the queue with failures; the formats are in src/lists.
 *
 * @module
 */
import { AdminError, type RunningLists } from "../../admin/mod.ts";
import type { ListAddress } from "../../config/mod.ts";
import { type ListsDatabase } from "../../lists/database.ts";
import type { DsnEvent } from "../../queue/mod.ts";
import type { IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import { addressOf } from "../onward/dsn.ts";
import { noteBounce } from "./bounces.ts";
import { decide } from "./held.ts";
import { ListRefusal } from "./membership.ts";
import { takePost } from "./posting.ts";
import { checkListRecipient, takeListMail } from "./requests.ts";
import { ListSender } from "./sending.ts";
import { allLists, type ListServices, tokenIn } from "./services.ts";

/** Milliseconds between searches for remains of removed lists. */
const forgetInterval = 60_000;

export class MailingLists {
  readonly services: ListServices;
  readonly sender: ListSender;
  #timer: ReturnType<typeof setInterval> | undefined;
  #forgetting: Promise<void> | undefined;

  constructor(services: ListServices) {
    this.services = services;
    this.sender = new ListSender(services);
    this.forAdmin = {
      db: services.db,
      decide: (...a) => this.#decide(...a),
    };
  }

  /** Operations for administrators. */
  readonly forAdmin: RunningLists;

  get db(): ListsDatabase {
    return this.services.db;
  }

  async #decide(...[list, id, verdict]: Parameters<RunningLists["decide"]>): Promise<void> {
    try {
      await decide(this.services, list, id, verdict);
    } catch (err) {
      if (err instanceof ListRefusal) throw new AdminError(err.message, { cause: err });
      throw err;
    }
    this.sender.wake();
  }

  /** Starts sending, continuing where a crash or stop interrupted it. */
  start(): void {
    this.sender.start();
    const look = () => {
      this.#forgetting ??= this.#forgetRemoved()
        .catch((err) => this.services.log.error("forgetting lists", { err: err as Error }))
        .finally(() => this.#forgetting = undefined);
    };
    look();
    this.#timer = setInterval(look, forgetInterval);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** A new list with the name of a former one must not inherit its members. */
  async #forgetRemoved(): Promise<void> {
    const { db, config } = this.services;
    const there = new Set(allLists(config).map((l) => l.key));
    for (const list of db.lists()) {
      if (there.has(list)) continue;
      while (await db.forget(list));
    }
  }

  /** Called at RCPT. @throws SmtpError */
  checkRecipient(at: ListAddress): void {
    checkListRecipient(this.services, at);
  }

  /** Accepts a message for an address of a list; durable when it resolves. @throws SmtpError */
  async take(
    at: ListAddress,
    incoming: Incoming,
    message: IncomingMessage,
    suspicious: boolean,
  ): Promise<void> {
    if (at.role !== "post") await takeListMail(this.services, at, incoming);
    else await takePost(this.services, at.list, incoming, message, suspicious);
    this.sender.wake();
  }

  /** Handles the queue's report about a message; false if it isn't a list's message. */
  async report(event: DsnEvent): Promise<boolean> {
    const { message } = event;
    if (!message.senderAccount.startsWith("list:") || message.mailFrom === "") return false;
    const from = addressOf(message.mailFrom);
    const found = this.services.config.lookupAddress(from.localpart, from.domain ?? "");
    if (found.kind !== "list" || found.role !== "bounces") return true;
    const token = tokenIn(this.services, found.list, found.token);
    if (token === undefined || event.action !== "failed") return true;
    const { purpose, id } = token;
    if (purpose !== "bounce" && purpose !== "probe") return true;
    const { result } = event.recipients[0];
    await noteBounce(
      this.services,
      found.list,
      { purpose, id },
      `${result.code} ${result.enhanced} ${result.text}`,
    );
    return true;
  }

  /** Stops sending; the database stays open for messages still arriving. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#forgetting;
    await this.sender.stop();
  }

  async close(): Promise<void> {
    await this.services.db.close();
  }
}
