/**
 * What is stored on disk about accounts that move between nodes. At each moment one node has the account, and
 * it is the one that the sending node's domains.conf names:
 *
 * - The sender's file `moves/NAME.json` says that a move is under way. Until its domains.conf names the other
 *   node the account is at the sender, whatever the other holds of it.
 * - The receiver's folder `arriving/NAME` has a copy that does not count yet. With the file `ready.json` it is
 *   complete, and is adopted when the sender says so, which it does after its domains.conf was changed, and not
 *   before.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import { ensureDir, syncDir, writeFileAtomic } from "../platform/files.ts";
import { isSafeName } from "../platform/paths.ts";
import { arrivingFolder } from "../store/backup/copy.ts";
import type { PackedRows } from "../store/database/account_rows.ts";

/** In the data folder: moves that this node has begun. */
const movesFolder = "moves";
/** In a copy that is arriving. */
const readyFile = "ready.json";

const moveSchema = v.object({
  /** Id of this move: a copy from another move is not mistaken for it. */
  id: v.pipe(v.string(), v.regex(/^[\da-f-]{36}$/)),
  account: v.pipe(v.string(), v.check(isSafeName)),
  /** The node that receives it. */
  to: v.string(),
  /** Milliseconds since the epoch. */
  begun: v.number(),
  /** The move is over. The file stays until the next start, so that a standby learns of it. */
  done: v.optional(v.boolean(), false),
});
export type Move = v.InferOutput<typeof moveSchema>;

const readySchema = v.object({
  id: v.string(),
  /** The node that sent it. */
  from: v.string(),
  rows: v.record(
    v.string(),
    v.object({
      columns: v.array(v.string()),
      rows: v.array(
        v.array(v.union([v.null(), v.number(), v.string(), v.object({ base64: v.string() })])),
      ),
    }),
  ),
});

/** A copy that is complete. */
export interface Ready {
  id: string;
  from: string;
  rows: PackedRows;
}

const bytesOf = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

/** The value in a file; undefined if there is none. @throws Error for a damaged one */
async function read<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (err) {
    throw new Error(`${path} is damaged: it says how far the move of an account is`, {
      cause: err,
    });
  }
}

async function removed(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((err) => {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  });
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((e) => e.name).sort();
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return [];
    throw err;
  }
}

const movePath = (dataDir: string, account: string) =>
  join(dataDir, movesFolder, `${account}.json`);

/** Moves that this node has begun and not finished. */
export async function openMoves(dataDir: string): Promise<Move[]> {
  const moves: Move[] = [];
  for (const name of await names(join(dataDir, movesFolder))) {
    if (!name.endsWith(".json")) continue;
    const move = await read(join(dataDir, movesFolder, name), moveSchema);
    if (move?.done) await removed(join(dataDir, movesFolder, name));
    else if (move !== undefined) moves.push(move);
  }
  return moves;
}

/** Notes a move; on disk when it resolves. */
export async function noteMove(dataDir: string, move: Move): Promise<void> {
  await ensureDir(join(dataDir, movesFolder));
  await writeFileAtomic(movePath(dataDir, move.account), bytesOf(move), 0o600);
}

/** Where the copy of an account arrives. */
export function arrivingPath(dataDir: string, account: string): string {
  return join(dataDir, arrivingFolder, account);
}

/** Accounts of which copies are here, complete or not. */
export async function arrivingAccounts(dataDir: string): Promise<string[]> {
  return await names(join(dataDir, arrivingFolder));
}

/** The data kept with a complete copy; undefined for others. @throws Error if it is damaged */
export async function readReady(dataDir: string, account: string): Promise<Ready | undefined> {
  return await read(join(arrivingPath(dataDir, account), readyFile), readySchema);
}

/** Notes that a copy is complete; on disk when it resolves. */
export async function noteReady(dataDir: string, account: string, ready: Ready): Promise<void> {
  await writeFileAtomic(join(arrivingPath(dataDir, account), readyFile), bytesOf(ready), 0o600);
}

/**
 * Notes that a copy is no longer complete, as its account has been used further where it is; on disk when it
 * resolves.
 */
export async function forgetReady(dataDir: string, account: string): Promise<void> {
  const folder = arrivingPath(dataDir, account);
  await removed(join(folder, readyFile));
  await syncDir(folder).catch((err) => {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  });
}

/** Forgets a copy; on disk when it resolves. */
export async function forgetArriving(dataDir: string, account: string): Promise<void> {
  // First make sure that it is not mistaken for a complete one.
  await forgetReady(dataDir, account);
  await removed(arrivingPath(dataDir, account));
}
