/** Writes a feed from a connection to a folder; a Worker does the work. @module */
import type { Connection } from "../../net/mod.ts";
import type { FromSink, ToSink } from "./sink_worker.ts";

/** Bytes of an arriving account that may wait for the Worker, which waits for the disk. */
const maxWaiting = 4 * 1024 * 1024;
/** Bytes per read. */
const pieceSize = 64 * 1024;

/**
 * Receives the feed of one account until it ends with everything on disk.
 * @param folder gets the part of the data folder that is sent: `accounts` with the account
 * @throws Error if the feed breaks off, can't be written, or leaves the copy without a message's file
 */
export async function receiveFeed(
  conn: Connection,
  folder: string,
  account: string,
): Promise<void> {
  const worker = new Worker(new URL("./sink_worker.ts", import.meta.url), { type: "module" });
  const tell = (m: ToSink, transfer: Transferable[] = []) => worker.postMessage(m, transfer);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  let waiting = 0;
  let more = () => {};
  let over = false;
  worker.onmessage = async (event: MessageEvent<FromSink>) => {
    const m = event.data;
    if (m.kind === "used") {
      waiting -= m.bytes;
      more();
    } else if (m.kind === "answer") {
      try {
        conn.write(`${m.line}\r\n`);
        await conn.flush();
      } catch (err) {
        reject(err);
      }
    } else if (m.error === undefined) {
      resolve();
    } else {
      reject(new Error(m.error));
    }
  };
  worker.onerror = (e) => {
    e.preventDefault();
    reject(new Error(`worker of a feed: ${e.message}`));
  };
  tell({ kind: "start", folder, account });
  const reading = (async () => {
    while (!over) {
      const piece = Uint8Array.from(await conn.readSome(pieceSize));
      waiting += piece.length;
      tell({ kind: "bytes", bytes: piece }, [piece.buffer]);
      while (waiting > maxWaiting && !over) await new Promise<void>((done) => more = done);
    }
  })();
  reading.catch(reject);
  try {
    await ended;
    await conn.flush();
  } finally {
    over = true;
    more();
    worker.terminate();
  }
}
