/** Restores a data folder from stored objects, as of a moment. @module */
import { CopySink } from "../follow/sink.ts";
import type { FeedOp } from "../follow/protocol.ts";
import { payloadSize, type StoredObject, storedObject } from "./journal.ts";
import type { Bucket } from "./s3.ts";
import { generationKey, openObject } from "./seal.ts";

export interface RestoreOptions {
  prefix: string;
  key: Uint8Array;
  /** Milliseconds: the moment to restore; undefined for the last one stored. */
  at: number | undefined;
  dataDir: string;
  configDir: string;
}

/** There is nothing to restore, or it is incomplete. */
export class RestoreError extends Error {
  override name = "RestoreError";
}

/** The objects in order, by generation from old to new. */
export async function storedGenerations(
  bucket: Bucket,
  prefix: string,
): Promise<Map<string, StoredObject[]>> {
  const all = new Map<string, StoredObject[]>();
  for (const name of await bucket.list(prefix)) {
    const s = storedObject(prefix, name);
    if (s === undefined) continue;
    const g = all.get(s.generation) ?? [];
    all.set(s.generation, [...g, s]);
  }
  return new Map([...all].sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * Restores into folders that are empty or don't exist.
 * @returns the time as of which the data is restored
 * @throws RestoreError, SealError, ObjectsError
 */
export async function restoreObjects(
  options: RestoreOptions,
  bucket: Bucket,
  say: (text: string) => void,
): Promise<number> {
  const wanted = (s: StoredObject) =>
    s.time !== undefined && (options.at === undefined || s.time <= options.at);
  const generations = [...await storedGenerations(bucket, options.prefix)];
  const chosen = generations.findLast(([, objects]) => objects.some(wanted));
  if (chosen === undefined) {
    throw new RestoreError(
      generations.length === 0
        ? "the bucket has no backup with that prefix"
        : "no backup that is whole begins before that time",
    );
  }
  const [generation, all] = chosen;
  const objects = all.slice(0, all.findLastIndex(wanted) + 1);
  objects.forEach((object, i) => {
    if (object.number !== i) {
      throw new RestoreError(`object ${i} of generation ${generation} is missing`);
    }
  });
  const key = generationKey(options.key, generation);
  const sink = new CopySink({
    dataDir: options.dataDir,
    configDir: options.configDir,
    ownConfig: "",
    round: () => Promise.resolve(),
  });
  for (const [i, s] of objects.entries()) {
    await play(openObject(key, s.name, await bucket.get(s.name)), sink);
    if ((i + 1) % 20 === 0) say(`${i + 1} of ${objects.length} objects`);
  }
  await sink.take({ op: "end" }, none);
  say(`${objects.length} objects`);
  return objects.at(-1)!.time!;
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Carries out the lines of an object. */
async function play(content: Uint8Array, sink: CopySink): Promise<void> {
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(10, at);
    const op = JSON.parse(new TextDecoder().decode(content.subarray(at, end))) as FeedOp;
    at = end + 1;
    let next = at;
    const payload = async function* (size: number) {
      yield content.subarray(next, next += size);
    };
    // As a feed requests before: merges the copy's log into its base.
    if (op.op === "base") await sink.take({ op: "blocks", path: op.path }, none);
    await sink.take(op, payload);
    at += payloadSize(op);
  }
}
