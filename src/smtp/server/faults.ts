/**
 * Deliberate faults, for developers who want to see what their program does when a mail server is slow, full or
 * broken. Set at run time through localserve's pages and API; a scenario sets one after the other.
 *
 * @module
 */
import type { SmtpSession } from "./backend.ts";
import { SmtpError } from "./errors.ts";

/** A refusal at random. */
export interface Trigger {
  /** SMTP code, 400-599. */
  ErrorCode: number;
  /** Percent, 0-100. */
  Probability: number;
}

/** What fails. Zeros and empty texts are faults that are off. */
export interface FaultSettings {
  /** At MAIL, RCPT, AUTH, and after the message. */
  Sender: Trigger;
  Recipient: Trigger;
  Authentication: Trigger;
  Message: Trigger;
  /** Percent of commands after which the connection is dropped without an answer. */
  DropProbability: number;
  /** Milliseconds of delay before the answer to each of these commands. */
  LatencyMs: number;
  /** Messages are answered as late as if they had arrived at this many bytes per second. */
  BytesPerSecond: number;
  /** Seconds during which a new pair of sender and recipient gets 451 (greylisting). */
  GreylistSeconds: number;
  /** Bytes of all messages since this was set, above which 452 4.2.2 is answered. */
  QuotaBytes: number;
  /** For listeners that offer STARTTLS. */
  StartTLS: "" | "off" | "broken";
}

/** One part of a scenario: it lasts for a number of messages or seconds, whichever is given and ends first. */
export interface ScenarioStep {
  Messages?: number;
  Seconds?: number;
  Faults: Partial<FaultSettings>;
}

/** No fault. */
export function noFaults(): FaultSettings {
  return {
    Sender: { ErrorCode: 451, Probability: 0 },
    Recipient: { ErrorCode: 451, Probability: 0 },
    Authentication: { ErrorCode: 535, Probability: 0 },
    Message: { ErrorCode: 451, Probability: 0 },
    DropProbability: 0,
    LatencyMs: 0,
    BytesPerSecond: 0,
    GreylistSeconds: 0,
    QuotaBytes: 0,
    StartTLS: "",
  };
}

/** Pairs of sender and recipient remembered for greylisting. */
const maxGreylist = 10_000;

/** The current faults of a server. */
export class Faults {
  #settings = noFaults();
  #taken = 0;
  readonly #seen = new Map<string, number>();
  readonly #random: () => number;
  readonly #now: () => number;
  #steps: ScenarioStep[] = [];
  #messagesLeft = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param random from 0 to below 1 @param now milliseconds since the epoch */
  constructor(random: () => number = Math.random, now: () => number = Date.now) {
    this.#random = random;
    this.#now = now;
  }

  get settings(): FaultSettings {
    return structuredClone(this.#settings);
  }

  /** Sets the faults; those left out are off. Ends a scenario. */
  set(settings: Partial<FaultSettings>): void {
    this.#endScenario();
    this.#apply(settings);
  }

  /** Plays the steps of a scenario; afterwards there is no fault. */
  play(steps: readonly ScenarioStep[]): void {
    this.#endScenario();
    this.#steps = [...steps];
    this.#nextStep();
  }

  /** Ends a running scenario. */
  stop(): void {
    this.#endScenario();
  }

  #apply(settings: Partial<FaultSettings>): void {
    this.#settings = { ...noFaults(), ...structuredClone(settings) };
    this.#taken = 0;
    this.#seen.clear();
  }

  #endScenario(): void {
    clearTimeout(this.#timer);
    this.#steps = [];
    this.#messagesLeft = Infinity;
  }

  #nextStep(): void {
    clearTimeout(this.#timer);
    const step = this.#steps.shift();
    this.#apply(step?.Faults ?? {});
    this.#messagesLeft = step?.Messages ?? Infinity;
    if (step?.Seconds !== undefined) {
      this.#timer = setTimeout(() => this.#nextStep(), step.Seconds * 1000);
    }
  }

  #happens(percent: number): boolean {
    return percent > 0 && this.#random() * 100 < percent;
  }

  /** Latency, drops and the refusal of a command. @throws SmtpError */
  async at(
    command: "Sender" | "Recipient" | "Authentication" | "Message",
    session: SmtpSession,
  ): Promise<void> {
    const s = this.#settings;
    if (s.LatencyMs > 0) await session.pause(s.LatencyMs);
    if (this.#happens(s.DropProbability)) {
      session.log.info("connection dropped as asked for", { command });
      session.drop();
      throw new SmtpError(421, "3.2", "connection dropped as asked for", { close: true });
    }
    const { ErrorCode, Probability } = s[command];
    if (this.#happens(Probability)) {
      throw new SmtpError(ErrorCode, "3.0", "refused by chance, as asked for");
    }
  }

  /** Greylisting of a recipient. @throws SmtpError */
  greylist(mailFrom: string, rcptTo: string): void {
    const seconds = this.#settings.GreylistSeconds;
    if (seconds <= 0) return;
    const key = `${mailFrom} ${rcptTo}`.toLowerCase();
    const now = this.#now();
    const first = this.#seen.get(key);
    if (first === undefined) {
      if (this.#seen.size >= maxGreylist) this.#seen.clear();
      this.#seen.set(key, now);
    }
    if (first === undefined || now - first < seconds * 1000) {
      throw new SmtpError(451, "7.1", "greylisted as asked for, try again later");
    }
  }

  /** Before a message is taken: speed and quota. @throws SmtpError */
  async message(session: SmtpSession, size: number): Promise<void> {
    const { BytesPerSecond, QuotaBytes } = this.#settings;
    if (BytesPerSecond > 0) await session.pause(size / BytesPerSecond * 1000);
    await this.at("Message", session);
    if (QuotaBytes > 0 && this.#taken + size > QuotaBytes) {
      throw new SmtpError(452, "2.2", "mailbox is full, as asked for");
    }
    this.#taken += size;
    if (--this.#messagesLeft <= 0) this.#nextStep();
  }
}
