/** The Worker side of feed_client.ts. @module */
import { DataFeed, type FeedOptions } from "./feed.ts";
import type { FeedOp } from "./protocol.ts";

/** Milliseconds between checks. */
const interval = 200;
/** Bytes that are collected before they are handed over. */
const gather = 256 * 1024;
/** Milliseconds the copy may take for an answer: it has to write what was sent to its disk. */
const answerTimeout = 60_000;

/** Messages to the Worker. */
export type ToFeed =
  | { kind: "start"; options: FeedOptions }
  /** Everything handed over has been sent. */
  | { kind: "flushed" }
  | { kind: "answer"; value: unknown }
  | { kind: "whole" }
  /** One more round, then the end. */
  | { kind: "finish" }
  /** The end, immediately. */
  | { kind: "stop"; reason: string };

/** Messages from the Worker. */
export type FromFeed =
  | { kind: "send"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "whole" }
  | { kind: "ended"; error?: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToFeed>) => void;
  postMessage(feed: FromFeed, transfer?: Transferable[]): void;
};

let parts: Uint8Array<ArrayBuffer>[] = [];
let size = 0;
let flushed = Promise.resolve();
let onFlushed = () => {};
const answers: ((value: unknown) => void)[] = [];
let onWhole = () => {};
let wake = () => {};
let finishing = false;
/** Rejects when the feed must end immediately. */
const stopped = Promise.withResolvers<never>();
stopped.promise.catch(() => {});
const encoder = new TextEncoder();

async function handOver(): Promise<void> {
  await Promise.race([flushed, stopped.promise]);
  if (size === 0) return;
  const all = new Uint8Array(size);
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  parts = [];
  size = 0;
  flushed = new Promise((resolve) => onFlushed = resolve);
  scope.postMessage({ kind: "send", bytes: all }, [all.buffer]);
}

async function bytes(b: Uint8Array<ArrayBuffer>): Promise<void> {
  parts.push(b);
  size += b.length;
  if (size >= gather) await handOver();
}

const line = (op: FeedOp) => bytes(encoder.encode(`${JSON.stringify(op)}\r\n`));

async function ask(op: FeedOp): Promise<unknown> {
  await line(op);
  const answer = new Promise<unknown>((resolve) => answers.push(resolve));
  const timer = setTimeout(
    () => stopped.reject(new Error("the standby does not answer")),
    answerTimeout,
  );
  try {
    await handOver();
    return await Promise.race([answer, stopped.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function whole(): Promise<void> {
  const done = new Promise<void>((resolve) => onWhole = resolve);
  scope.postMessage({ kind: "whole" });
  return Promise.race([done, stopped.promise]);
}

async function run(options: FeedOptions): Promise<void> {
  const feed = new DataFeed(options, { line, bytes, ask, whole });
  let error: string | undefined;
  try {
    for (let last = false; !last;) {
      last = finishing;
      const start = Date.now();
      await feed.round();
      const rest = interval - (Date.now() - start);
      if (rest > 0 && !finishing) {
        const pause = new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, rest);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        await Promise.race([pause, stopped.promise]);
      }
    }
    await ask({ op: "end" });
  } catch (err) {
    error = err instanceof Error ? err.message : String(err);
  } finally {
    feed.close();
  }
  scope.postMessage({ kind: "ended", error });
}

scope.onmessage = ({ data }) => {
  if (data.kind === "start") void run(data.options);
  else if (data.kind === "flushed") onFlushed();
  else if (data.kind === "answer") answers.shift()?.(data.value);
  else if (data.kind === "whole") onWhole();
  else if (data.kind === "stop") stopped.reject(new Error(data.reason));
  else {
    finishing = true;
    wake();
  }
};
