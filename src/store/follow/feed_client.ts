/** Sends a data folder, and what is committed to it, over a connection; a Worker does the work. @module */
import type { Connection } from "../../net/mod.ts";
import type { FeedOptions } from "./feed.ts";
import type { FromFeed, ToFeed } from "./feed_worker.ts";
import { maxLine } from "./protocol.ts";

/** Milliseconds for the Worker to release the databases: while it reads them, their logs grow. */
const stopPatience = 10_000;

/** A running feed. */
export interface RunningFeed {
  /** Resolves when it has ended on request; rejects when the connection or a file fails. */
  ended: Promise<void>;
  /** Sends everything committed so far and ends. */
  finish(): void;
  /** Ends immediately. */
  stop(reason: string): void;
}

/**
 * Starts to send.
 * @param whole called before the copy is told that it is complete
 */
export function startFeed(
  conn: Connection,
  options: FeedOptions,
  whole: () => Promise<void>,
): RunningFeed {
  const worker = new Worker(new URL("./feed_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tell = (m: ToFeed) => worker.postMessage(m);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (reason: string) => {
    tell({ kind: "stop", reason });
    timer ??= setTimeout(() => reject(new Error(reason)), stopPatience);
  };
  // The Worker waits for answers and has its own timeout.
  conn.readTimeout = 2 ** 31 - 1;
  const answering = async () => {
    for await (const text of lines(conn)) tell({ kind: "answer", value: JSON.parse(text) });
  };
  worker.onmessage = async (event: MessageEvent<FromFeed>) => {
    const m = event.data;
    try {
      if (m.kind === "send") {
        conn.write(m.bytes);
        await conn.flush();
        tell({ kind: "flushed" });
      } else if (m.kind === "whole") {
        await whole();
        tell({ kind: "whole" });
      } else if (m.error === undefined) {
        resolve();
      } else {
        reject(new Error(m.error));
      }
    } catch (err) {
      stop((err as Error).message);
    }
  };
  worker.onerror = (e) => {
    e.preventDefault();
    reject(new Error(`feed worker: ${e.message}`));
  };
  answering().catch((err) => stop((err as Error).message));
  tell({ kind: "start", options });
  const ended = promise.finally(() => {
    clearTimeout(timer);
    worker.terminate();
    conn.destroy();
  });
  ended.catch(() => {});
  return {
    ended,
    finish: () => tell({ kind: "finish" }),
    stop,
  };
}

/** Incoming lines, even after the server was asked to stop: its last changes are answered then. */
async function* lines(conn: Connection): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    text += decoder.decode(await conn.readSome(64 * 1024), { stream: true });
    if (text.length > maxLine) throw new Error("the standby's answer is too long");
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
