/** The key of sender rewriting, in the data folder. @module */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "../../platform/files.ts";
import { Srs } from "../../senderauth/mod.ts";

const file = "srs.key";
const length = 32;

/**
 * Reads the key, or makes one; it is on disk when it resolves.
 * @throws Error if the file has something else in it: a new key would have reports about what was
 * forwarded lead nowhere.
 */
export async function openSrs(dataDir: string, now: () => number): Promise<Srs> {
  const path = join(dataDir, file);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    text = `${randomBytes(length).toString("hex")}\n`;
    await writeFileAtomic(path, new TextEncoder().encode(text));
  }
  const secret = Buffer.from(text.trim(), "hex");
  if (secret.length !== length) {
    throw new Error(
      `${path}: expected ${2 * length} hexadecimal digits; remove it to have one made`,
    );
  }
  return new Srs(Uint8Array.from(secret), now);
}
