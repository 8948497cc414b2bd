/**
 * Which addresses exist on the servers behind Relay: they are asked at RCPT, so that mail for unknown addresses
 * is refused while its sender waits, and no report about it goes to a forged sender.
 *
 * @module
 */
import type { Relay } from "../../config/mod.ts";
import type { Failure } from "../../queue/mod.ts";
import { type Address, addressText, SmtpError } from "../../smtp/server/mod.ts";

/** Milliseconds that a sender waits for the answer about an address, including the time for others' turns. */
const askingTime = 20_000;
/** Simultaneous queries to a server: those like Mailman and Dovecot may have few connections. */
const maxAsking = 5;
/** Senders waiting for their turn at one server; more are told to try again later. */
const maxWaiting = 100;
/** Milliseconds for which an existing address isn't queried again. */
const knownFor = 60 * 60_000;
/** The same while the server is unreachable: mail for the address then waits in the queue. */
const knownWhileAway = 7 * 24 * 60 * 60_000;
/** Milliseconds for which an unknown address isn't queried again: it may be created at any time. */
const unknownFor = 30_000;
/** Cached addresses, existing and unknown ones each: random ones don't push out real ones. */
const maxKnown = 20_000;
const maxUnknown = 2_000;

/** Queries a server; undefined if it accepts mail for the address. */
type Ask = (
  transport: string,
  address: string,
  signal: AbortSignal,
) => Promise<Failure | undefined>;

export class RelayedAddresses {
  readonly #ask: Ask;
  readonly #now: () => number;
  readonly #stopping: AbortSignal;
  /** When an address was last confirmed, milliseconds since the epoch. Keys are transport and address. */
  readonly #known = new Map<string, number>();
  readonly #unknown = new Map<string, { failure: Failure; at: number }>();
  /** Pending queries, so that the same one is sent once. */
  readonly #asked = new Map<string, Promise<Failure | undefined>>();
  readonly #turns = new Map<string, Turns>();

  constructor(ask: Ask, now: () => number, stopping: AbortSignal) {
    this.#ask = ask;
    this.#now = now;
    this.#stopping = stopping;
  }

  /** Whether the server has the address. @throws SmtpError with its answer if it has not */
  async check({ Transport, AllAddresses }: Relay, address: Address): Promise<void> {
    if (AllAddresses) return;
    const text = addressText(address);
    const key = `${Transport} ${text}`;
    const known = this.#known.get(key);
    const age = known === undefined ? Infinity : this.#now() - known;
    if (age >= 0 && age < knownFor) return;
    const unknown = this.#unknown.get(key);
    if (unknown) {
      const since = this.#now() - unknown.at;
      if (since >= 0 && since < unknownFor) throw refusal(unknown.failure);
    }
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#askOnce(key, Transport, text).finally(() => this.#asked.delete(key));
      this.#asked.set(key, asked);
    }
    const failure = await asked;
    if (failure === undefined) return;
    if (failure.kind === "temporary" && age < knownWhileAway) return;
    throw refusal(failure);
  }

  async #askOnce(key: string, transport: string, address: string): Promise<Failure | undefined> {
    const signal = AbortSignal.any([AbortSignal.timeout(askingTime), this.#stopping]);
    let turns = this.#turns.get(transport);
    if (turns === undefined) this.#turns.set(transport, turns = new Turns());
    if (!await turns.enter(signal)) return later;
    let failure: Failure | undefined;
    try {
      failure = await this.#ask(transport, address, signal);
    } finally {
      turns.leave();
    }
    if (failure?.kind === "temporary") return failure;
    this.#known.delete(key);
    this.#unknown.delete(key);
    if (failure === undefined) remember(this.#known, key, this.#now(), maxKnown);
    else remember(this.#unknown, key, { failure, at: this.#now() }, maxUnknown);
    return failure;
  }
}

const later: Failure = {
  kind: "temporary",
  code: 451,
  enhanced: "4.4.1",
  text: "many addresses are being verified",
};

/** The server's answer, in the words of this one. */
function refusal(failure: Failure): SmtpError {
  if (failure.kind === "permanent") return new SmtpError(550, "1.1", "no such address here");
  return new SmtpError(451, "4.1", "the address can't be verified now, try again later");
}

/** Removes the oldest entry if there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.set(key, value);
  if (map.size > max) map.delete(map.keys().next().value!);
}

/** Turns for querying a server. */
class Turns {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** False if too many wait, or it took too long. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (this.#running < maxAsking) {
      this.#running++;
      return true;
    }
    if (this.#waiting.size >= maxWaiting || signal.aborted) return false;
    return await new Promise<boolean>((resolve) => {
      const mine = () => {
        signal.removeEventListener("abort", stop);
        resolve(true);
      };
      const stop = () => {
        if (this.#waiting.delete(mine)) resolve(false);
      };
      this.#waiting.add(mine);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  leave(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
