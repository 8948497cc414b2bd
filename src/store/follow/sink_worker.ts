/** The Worker side of sink_client.ts: writes and waits for the disk without holding up others. @module */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileName } from "../backup/copy.ts";
import { type FeedOp, maxLine } from "./protocol.ts";
import { CopySink } from "./sink.ts";

/** Messages to the Worker. */
export type ToSink =
  | { kind: "start"; folder: string; account: string }
  | { kind: "bytes"; bytes: Uint8Array<ArrayBuffer> };

/** Messages from the Worker. */
export type FromSink =
  /** So many bytes were consumed, so more may be sent. */
  | { kind: "used"; bytes: number }
  | { kind: "answer"; line: string }
  /** The feed has ended, and everything is on disk; or with an error. */
  | { kind: "ended"; error?: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToSink>) => void;
  postMessage(sink: FromSink): void;
};

const waiting: Uint8Array[] = [];
let arrived = () => {};

/** The available bytes, or the next ones to arrive. */
async function some(): Promise<Uint8Array> {
  while (waiting.length === 0) await new Promise<void>((resolve) => arrived = resolve);
  return waiting.shift()!;
}

function used(bytes: number): void {
  scope.postMessage({ kind: "used", bytes });
}

async function line(): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const piece = await some();
    const end = piece.indexOf(10);
    const part = end < 0 ? piece : piece.subarray(0, end + 1);
    if (end >= 0 && end + 1 < piece.length) waiting.unshift(piece.subarray(end + 1));
    used(part.length);
    text += decoder.decode(part, { stream: true });
    if (text.length > maxLine) throw new Error("a line of the feed is too long");
    if (end >= 0) return text;
  }
}

async function* payload(size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    let piece = await some();
    if (piece.length > left) {
      waiting.unshift(piece.subarray(left));
      piece = piece.subarray(0, left);
    }
    left -= piece.length;
    yield piece;
    used(piece.length);
  }
}

/** @throws Error if the copied database names a message file that is missing; its log is merged by then */
function checkFiles(folder: string): void {
  const db = new DatabaseSync(join(folder, "index.db"));
  try {
    for (
      const { id } of db.prepare("SELECT id FROM emails").iterate() as Iterable<{ id: number }>
    ) {
      const path = join(folder, "msg", fileName(id));
      try {
        Deno.statSync(path);
      } catch (err) {
        throw new Error(`${path} is missing in the copy`, { cause: err });
      }
    }
  } finally {
    db.close();
  }
}

async function run(folder: string, account: string): Promise<void> {
  const only = `accounts/${account}`;
  const sink = new CopySink({
    dataDir: folder,
    configDir: folder,
    ownConfig: "",
    round: () => Promise.resolve(),
  });
  for (;;) {
    const op = JSON.parse(await line()) as FeedOp;
    const path = "path" in op ? op.path : only;
    if (path !== only && !path.startsWith(`${only}/`) || op.op === "file" && op.config) {
      throw new Error(`${path} is not of the account ${account}`);
    }
    const answer = await sink.take(op, payload);
    if (op.op === "end") checkFiles(join(folder, only));
    if (answer !== undefined) scope.postMessage({ kind: "answer", line: JSON.stringify(answer) });
    if (op.op === "end") return;
  }
}

scope.onmessage = ({ data }) => {
  if (data.kind === "bytes") {
    waiting.push(data.bytes);
    arrived();
    return;
  }
  run(data.folder, data.account).then(
    () => scope.postMessage({ kind: "ended" }),
    (err) => scope.postMessage({ kind: "ended", error: String((err as Error)?.message ?? err) }),
  );
};
