/** The canary as the bench sees it. */
import type { Ports } from "../support/localserve.ts";

/** How long its questions took since the last look. */
export interface Waits {
  /** Milliseconds. */
  longest: number;
  p99: number;
  questions: number;
  /** Sessions that were cut off. */
  lost: number;
}

export class Canary {
  readonly #worker = new Worker(new URL("./canary_worker.ts", import.meta.url).href, {
    type: "module",
  });

  constructor(ports: Ports) {
    this.#worker.postMessage({ start: { smtp: ports.smtp, imap: ports.imap, http: ports.http } });
  }

  /** Since the last call; what waits still counts with its time so far. */
  take(): Promise<Waits> {
    return new Promise((resolve) => {
      this.#worker.onmessage = (e: MessageEvent<{ waits: number[]; lost: number }>) => {
        const sorted = e.data.waits.sort((a, b) => a - b);
        resolve({
          longest: sorted.at(-1) ?? 0,
          p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
          questions: sorted.length,
          lost: e.data.lost,
        });
      };
      this.#worker.postMessage("take");
    });
  }

  stop(): void {
    this.#worker.terminate();
  }
}
