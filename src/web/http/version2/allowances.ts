/**
 * What a client of HTTP/2 may make the server do for nothing: streams begun without an answer that is read to its
 * end, and frames that carry no data.
 *
 * One count of streams covers all ways to have requests worked on without waiting for their answers: resets by the
 * client (CVE-2023-44487), resets that it makes the server do (CVE-2025-8671), header lists that are refused, and
 * streams above the number that may be open.
 *
 * @module
 */
import { Allowance } from "../allowance.ts";

/** Streams begun and not answered to their end, at once; and how many more with each second. */
const wastedStreams = 300;
const wastedStreamsEachSecond = 5;
/** Frames without use of their own, at once; and how many more with each second. */
const controlFrames = 1_000;
const controlFramesEachSecond = 100;
/** Of these, what a connection gets from where many were sent away: one part in so many. */
const partForSuspects = 5;
/** What is had again for a whole answer, and for so many bytes sent (a client widens its windows for them). */
const controlFramesForAnswer = 8;
const bytesForControlFrame = 512;

/** The allowances of one connection. */
export class Allowances {
  readonly #streams: Allowance;
  readonly #control: Allowance;

  /** @param suspect is a client from where many were sent away of late */
  constructor(suspect: boolean) {
    const part = suspect ? partForSuspects : 1;
    this.#streams = new Allowance(wastedStreams / part, wastedStreamsEachSecond);
    this.#control = new Allowance(controlFrames / part, controlFramesEachSecond);
  }

  /** A stream begins. False if too many came to nothing. */
  stream(): boolean {
    return this.#streams.use();
  }

  /** A frame of no use of its own. False if there were too many. */
  control(): boolean {
    return this.#control.use();
  }

  /** A request was answered in whole. */
  answered(): void {
    this.#streams.giveBack(1);
    this.#control.giveBack(controlFramesForAnswer);
  }

  /** So many bytes were sent. */
  sent(bytes: number): void {
    this.#control.giveBack(bytes / bytesForControlFrame);
  }
}
