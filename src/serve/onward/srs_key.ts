/** The secret of this server, in the data folder: for sender rewriting, and other keys that must not change. @module */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "../../platform/files.ts";
import { Srs } from "../../senderauth/mod.ts";

const file = "srs.key";
const length = 32;

/**
 * Reads the key, or creates one; it is on disk when it resolves.
 * @throws Error if the file contains something else: with a new key, reports about messages forwarded
 * earlier would lead nowhere.
 */
export async function openServerSecret(dataDir: string): Promise<Uint8Array> {
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
  return Uint8Array.from(secret);
}

/** Sender rewriting with the secret. */
export function srsOf(secret: Uint8Array, now: () => number): Srs {
  return new Srs(secret, now);
}

/** A key for one purpose, derived from the secret. */
export function keyFor(secret: Uint8Array, purpose: string): Uint8Array {
  return Uint8Array.from(createHmac("sha256", secret).update(purpose).digest());
}
