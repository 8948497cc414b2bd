/**
 * Limits on useless work by an HTTP/2 client: streams opened without reading their answer to the
 * end, and frames that carry no data.
 *
 * One count of streams covers all ways to make the server work without waiting for its answers: resets by the
 * client (CVE-2023-44487), resets provoked from the server (CVE-2025-8671), refused header lists, and
 * streams above the limit of open ones.
 *
 * @module
 */
import { Allowance } from "../allowance.ts";

/** Streams opened but not fully answered: the burst allowed, and the refill per second. */
const wastedStreams = 300;
const wastedStreamsEachSecond = 5;
/** Useless frames: the burst allowed, and the refill per second. */
const controlFrames = 1_000;
const controlFramesEachSecond = 100;
/** Connections from suspect networks get the allowances divided by this. */
const partForSuspects = 5;
/** Refilled for a complete answer, and for so many bytes sent (a client widens its windows for them). */
const controlFramesForAnswer = 8;
const bytesForControlFrame = 512;

/** The allowances of one connection. */
export class Allowances {
  readonly #streams: Allowance;
  readonly #control: Allowance;

  /** @param suspect the client's network had many disconnections lately */
  constructor(suspect: boolean) {
    const part = suspect ? partForSuspects : 1;
    this.#streams = new Allowance(wastedStreams / part, wastedStreamsEachSecond);
    this.#control = new Allowance(controlFrames / part, controlFramesEachSecond);
  }

  /** A stream begins. False if too many were useless. */
  stream(): boolean {
    return this.#streams.use();
  }

  /** A useless frame. False if there were too many. */
  control(): boolean {
    return this.#control.use();
  }

  /** A request was answered completely. */
  answered(): void {
    this.#streams.giveBack(1);
    this.#control.giveBack(controlFramesForAnswer);
  }

  /** So many bytes were sent. */
  sent(bytes: number): void {
    this.#control.giveBack(bytes / bytesForControlFrame);
  }
}
