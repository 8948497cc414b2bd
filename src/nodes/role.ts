/**
 * What a data folder is: that of a node which serves, the copy of a standby, or that of a node whose standby
 * has taken over and which must no longer serve. Kept in a file of the folder that is not copied with it.
 *
 * Each promotion has a term, a number higher than all before, and the higher one wins. Terms at the node's own
 * place are even and those at its standby's odd, so that two promotions on both sides of a broken line differ.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../platform/files.ts";
import { roleFile } from "../store/backup/copy.ts";

const schema = v.object({
  role: v.picklist(["serving", "standby", "fenced"]),
  term: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1e9)),
  /** Of a node that serves: its standby has a complete copy, and may have taken over since. */
  armed: v.optional(v.boolean(), false),
  /** Of a standby: the time as of which its copy is complete, in milliseconds; 0 while it isn't. */
  upToDate: v.optional(v.number(), 0),
});
export type Role = v.InferOutput<typeof schema>;

/**
 * The role in the folder's file; a folder without one serves, as folders always did. @throws Error if it is
 * damaged
 */
export async function readRole(dataDir: string): Promise<Role> {
  const path = join(dataDir, roleFile);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    return { role: "serving", term: 0, armed: false, upToDate: 0 };
  }
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (err) {
    throw new Error(`${path} is damaged: it says whether this folder may be served`, {
      cause: err,
    });
  }
}

/** Whether the folder has the file. */
export async function hasRole(dataDir: string): Promise<boolean> {
  return await Deno.stat(join(dataDir, roleFile)).then(() => true, () => false);
}

/** Writes it; on disk when it resolves. */
export async function writeRole(dataDir: string, role: Role): Promise<void> {
  const text = `${JSON.stringify(role)}\n`;
  await writeFileAtomic(join(dataDir, roleFile), new TextEncoder().encode(text), 0o600);
}

/** A role from another node. @throws Error if it is none */
export function roleFrom(value: unknown): Role {
  return v.parse(schema, value);
}

/** Where this server is: at its node's own place, or at that of its standby. */
export type Seat = "home" | "standby";

/** The term of the next promotion at a seat. */
export function nextTerm(known: number, seat: Seat): number {
  const odd = seat === "standby" ? 1 : 0;
  return known + ((known + 1) % 2 === odd ? 1 : 2);
}
