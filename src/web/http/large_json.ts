/**
 * JSON of request bodies, large ones parsed in a Worker: 20 MB blocked the event loop for 200 ms and more, receiving the
 * Worker's result takes a tenth of that.
 *
 * @module
 */
import { renewedWorker } from "../../platform/workers/renewed_worker.ts";
import { JsonError, parseJson } from "./json.ts";
import { joinedPieces } from "./json_pieces.ts";
import type { ParsedJson } from "./json_worker.ts";
import { HttpError } from "./types.ts";

/** Bytes that are parsed directly: some milliseconds. */
const smallJson = 512 * 1024;
/** Bodies that may wait for the Worker. */
const maxWaiting = 20;

/** Bytes that a Worker parses before it is replaced; it keeps several times as much until then. */
const mostParsed = 8 * 1024 * 1024;

const worker = renewedWorker<Uint8Array, ParsedJson>({
  name: "JSON",
  start: () => new Worker(new URL("./json_worker.ts", import.meta.url), { type: "module" }),
  mostBytes: mostParsed,
  idleTimeout: 10_000,
  answerTimeout: 30_000,
});

/** The value of a UTF-8 body, which may be detached afterwards. @throws JsonError; HttpError 503 if too many large ones wait */
export async function parseJsonBody(bytes: Uint8Array): Promise<unknown> {
  if (bytes.length <= smallJson) return parseJson(bytes);
  if (worker.waiting() >= maxWaiting) {
    throw new HttpError(503, "too many large requests at a time", { "Retry-After": "10" });
  }
  const parsed = await worker.ask(bytes, bytes);
  if ("reason" in parsed) throw new JsonError(parsed.reason);
  return "pieces" in parsed ? await joinedPieces(parsed.pieces) : parsed.value;
}
