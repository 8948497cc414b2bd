/**
 * The limits on mail of a network to an account, asked for at RCPT: SMTP has one answer for a message, so a sender
 * would not try again for one of its recipients once others have the message. The analysis asks again, as the size
 * is known then.
 *
 * Counting the mail of a busy network takes milliseconds, so a count is used for a minute: until then the account gets
 * at most one message for each recipient that was accepted since.
 *
 * @module
 */
import { defaultRateLimits, exceededRate } from "../../delivery/analysis_rates.ts";
import { networksOf } from "../../net/mod.ts";
import { SmtpError, type SmtpSession, type Transaction } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { accountHistory } from "../../store/messages/history.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** Milliseconds that a count is used, and a refusal is given again without counting. */
const countedFor = 60_000;
const refusedFor = 1000;
/** Accounts with a network or address that are remembered, of each kind; beyond that all are forgotten, and counted anew. */
const maxRemembered = 10_000;
/** Bytes that a message without SIZE is taken for. */
const unknownSize = 50 * 1024 * 1024;

/** The strictest limits: they are those of single addresses. */
const strictest = defaultRateLimits.filter((l) => l.network === 0);

/** What an account may get from a whole network before any limit on it, or on an address of it, could be exceeded. */
interface Room {
  until: number;
  messages: number;
  bytes: number;
}

export class RecipientRates {
  readonly #services: Pick<ReceivingServices, "accounts" | "resolver" | "now">;
  /** By account and wide network. */
  readonly #rooms = new Map<string, Room>();
  /** By account and address of the client. */
  readonly #refused = new Map<string, { until: number; error: SmtpError }>();

  constructor(services: Pick<ReceivingServices, "accounts" | "resolver" | "now">) {
    this.#services = services;
  }

  /** @throws SmtpError 452 if the account gets too much mail from the client's network */
  async check(
    { remoteIp, log }: Pick<SmtpSession, "remoteIp" | "log">,
    { declaredSize }: Pick<Transaction, "declaredSize">,
    name: string,
  ): Promise<void> {
    const { accounts, resolver } = this.#services;
    // Localserve takes everything.
    if (resolver === undefined) return;
    const networks = networksOf(remoteIp);
    const size = declaredSize ?? unknownSize;
    if (this.#hasRoom(`${name} ${networks[2]}`, size)) return;
    const key = `${name} ${remoteIp}`;
    const before = this.#refused.get(key);
    if (before !== undefined) {
      if (this.#services.now() < before.until) throw before.error;
      this.#refused.delete(key);
    }
    let account: Account | undefined;
    let exceeded: string | undefined;
    try {
      account = await accounts.open(name);
      exceeded = this.#count(account, networks, declaredSize ?? 0, size);
    } catch (err) {
      // What is wrong with the account decides about the message, not about its recipient.
      log.debug("limits could not be asked for at RCPT", { account: name, err: err as Error });
    } finally {
      account?.close();
    }
    if (exceeded === undefined) return;
    const error = new SmtpError(452, "2.2", exceeded, { harmless: true });
    remember(this.#refused, key, { until: this.#services.now() + refusedFor, error });
    throw error;
  }

  /** Takes a message's place in the room that was counted; false if there is none, or none is known. */
  #hasRoom(key: string, size: number): boolean {
    const room = this.#rooms.get(key);
    if (room === undefined) return false;
    if (this.#services.now() >= room.until || room.messages < 1 || room.bytes < size) {
      this.#rooms.delete(key);
      return false;
    }
    room.messages--;
    room.bytes -= size;
    return true;
  }

  #count(
    account: Account,
    networks: [string, string, string],
    declared: number,
    size: number,
  ): string | undefined {
    const now = this.#services.now();
    const history = accountHistory(account.db);
    const room: Room = { until: now + countedFor, messages: Infinity, bytes: Infinity };
    for (const l of strictest) {
      const past = history.received({ index: 2, networks }, now - l.windowMs);
      room.messages = Math.min(room.messages, l.messages - past.count - 1);
      room.bytes = Math.min(room.bytes, l.bytes - past.size - size);
    }
    if (room.messages >= 0 && room.bytes >= 0) {
      remember(this.#rooms, `${account.name} ${networks[2]}`, room);
      return undefined;
    }
    return exceededRate(history, networks, declared, now);
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= maxRemembered) map.clear();
  map.set(key, value);
}
