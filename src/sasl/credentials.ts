/**
 * What is stored for a password so that SCRAM and CRAM-MD5 can check it without the password itself.
 *
 * @module
 */
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { cramMd5Wanted } from "./cram_setting.ts";
import { md5Block, md5BlockSize, md5Finish, md5Start, md5StateBytes, md5StateFrom } from "./md5.ts";
import { preparePassword } from "./prepare.ts";
import type { CramMd5Credentials, ScramCredentials } from "./types.ts";

export type { CramMd5Credentials, ScramCredentials } from "./types.ts";

/** Everything derived from one password. */
export interface DerivedCredentials {
  scramSha1?: ScramCredentials;
  scramSha256?: ScramCredentials;
  cramMd5?: CramMd5Credentials;
}

/** Hashes of the SCRAM mechanisms. */
export type ScramHash = "sha1" | "sha256";

/**
 * Rounds for new passwords. RFC 7677 §4 requires at least 4096; the client computes them at each login, and
 * phones take some tens of milliseconds for these.
 */
export const scramRounds: Record<ScramHash, number> = { sha1: 8192, sha256: 16_384 };
const saltLength = 16;

const derive = promisify(pbkdf2);

/** RFC 5802 §3: Hi(). */
export async function saltedPassword(
  hash: ScramHash,
  prepared: string,
  salt: Uint8Array,
  count: number,
): Promise<Uint8Array> {
  return Uint8Array.from(await derive(prepared, salt, count, hash === "sha1" ? 20 : 32, hash));
}

/** RFC 5802 §3: HMAC(). */
export function hmac(hash: ScramHash, key: Uint8Array, data: Uint8Array | string): Uint8Array {
  return Uint8Array.from(createHmac(hash, key).update(data).digest());
}

/** RFC 5802 §3: H(). */
export function digest(hash: ScramHash, data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(hash).update(data).digest());
}

async function scramCredentials(
  hash: ScramHash,
  prepared: string,
  like: ScramCredentials | undefined,
): Promise<ScramCredentials> {
  const salt = like?.salt ?? Uint8Array.from(randomBytes(saltLength));
  const count = like?.iterations ?? scramRounds[hash];
  const salted = await saltedPassword(hash, prepared, salt, count);
  return {
    salt,
    iterations: count,
    storedKey: digest(hash, hmac(hash, salted, "Client Key")),
    serverKey: hmac(hash, salted, "Server Key"),
  };
}

/** MD5 states for a key. */
export function cramMd5Credentials(prepared: string): CramMd5Credentials {
  let key: Uint8Array = new TextEncoder().encode(prepared);
  if (key.length > md5BlockSize) key = md5Finish(md5Start(), key, 0);
  const masked = (mask: number): Uint8Array => {
    const block = new Uint8Array(md5BlockSize).fill(mask);
    for (let i = 0; i < key.length; i++) block[i] ^= key[i];
    const state = md5Start();
    md5Block(state, block);
    return md5StateBytes(state);
  };
  return { inner: masked(0x36), outer: masked(0x5c) };
}

/** HMAC-MD5 of a text with the key that the states represent. */
export function cramMd5Digest(credentials: CramMd5Credentials, text: Uint8Array): Uint8Array {
  const inner = md5Finish(md5StateFrom(credentials.inner), text, md5BlockSize);
  return md5Finish(md5StateFrom(credentials.outer), inner, md5BlockSize);
}

/**
 * Credentials for all mechanisms, with fresh salts. Takes some milliseconds on a thread.
 * @param like credentials whose salts are reused, as for another password of the same user
 * @throws SaslError if the password contains what no password may (RFC 8265 §4.2).
 */
export async function deriveCredentials(
  password: string,
  like: DerivedCredentials = {},
): Promise<DerivedCredentials> {
  const prepared = preparePassword(password);
  const [scramSha1, scramSha256] = await Promise.all([
    scramCredentials("sha1", prepared, like.scramSha1),
    scramCredentials("sha256", prepared, like.scramSha256),
  ]);
  const cramMd5 = cramMd5Wanted() ? cramMd5Credentials(prepared) : undefined;
  return { scramSha1, scramSha256, cramMd5 };
}

const scramKinds = [["scram-sha-1", "scramSha1"], ["scram-sha-256", "scramSha256"]] as const;

/** The credentials as texts by kind, for storing. */
export function encodeCredentials(credentials: DerivedCredentials): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [kind, field] of scramKinds) {
    const s = credentials[field];
    if (s === undefined) continue;
    const bytes = [s.salt, s.storedKey, s.serverKey].map((b) => b.toBase64());
    out[kind] = [s.iterations, ...bytes].join("$");
  }
  if (credentials.cramMd5 !== undefined) {
    out["cram-md5"] = [credentials.cramMd5.inner, credentials.cramMd5.outer].map((b) =>
      b.toBase64()
    ).join("$");
  }
  return out;
}

/** The reverse; kinds that it doesn't know, and damaged texts, are left out. */
export function decodeCredentials(rows: Record<string, string>): DerivedCredentials {
  const out: DerivedCredentials = {};
  for (const [kind, field] of scramKinds) {
    const parts = rows[kind]?.split("$");
    if (parts?.length !== 4) continue;
    const [salt, storedKey, serverKey] = parts.slice(1).map(bytesOf);
    const count = Number(parts[0]);
    if (!salt || !storedKey || !serverKey || !Number.isSafeInteger(count) || count < 1) continue;
    out[field] = { iterations: count, salt, storedKey, serverKey };
  }
  const [inner, outer] = (rows["cram-md5"] ?? "").split("$").map(bytesOf);
  if (inner?.length === 16 && outer?.length === 16) out.cramMd5 = { inner, outer };
  return out;
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
