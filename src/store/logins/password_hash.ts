/**
 * Password hashes from other servers, with or without Dovecot's `{SCHEME}` prefixes: they are verified
 * unchanged, and replaced by our own at the next login with the password.
 *
 * Supported: argon2id, argon2i, bcrypt, SHA-crypt (`$5$`, `$6$`), MD5-crypt (`$1$`), PBKDF2 (of Dovecot, and of
 * passlib as used by Mailu), SCRAM-SHA-1 and -256 of Dovecot, and (S)SHA, (S)SHA256 and (S)SHA512.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { argon2Verify, bcryptVerify } from "hash-wasm";
import { md5Crypt } from "./md5_crypt.ts";
import { parseShaCrypt, type ShaCrypt, shaCrypt } from "./sha_crypt.ts";

/** A hash that can be verified. */
export type PasswordHash =
  | { kind: "argon2"; text: string }
  | { kind: "bcrypt"; text: string }
  | { kind: "bcryptSha256"; text: string; salt: string }
  | { kind: "shaCrypt"; hash: ShaCrypt }
  | { kind: "md5Crypt"; salt: string; digest: string }
  | { kind: "pbkdf2"; algorithm: string; rounds: number; salt: Buffer; digest: Buffer }
  | { kind: "sha"; algorithm: string; salt: Buffer; digest: Buffer }
  | {
    kind: "scram";
    algorithm: "sha1" | "sha256";
    rounds: number;
    salt: Buffer;
    storedKey: Buffer;
  };

/** Dovecot schemes whose text identifies itself. */
const selfDescribing =
  /^(?:CRYPT|MD5-CRYPT|SHA256-CRYPT|SHA512-CRYPT|BLF-CRYPT|ARGON2I|ARGON2ID|PBKDF2|SCRAM-SHA-1|SCRAM-SHA-256)$/;
/** Schemes that are a base64 digest, with a salt at its end. */
const digests: Record<string, { algorithm: string; size: number; salted: boolean }> = {
  SHA: { algorithm: "sha1", size: 20, salted: false },
  SHA1: { algorithm: "sha1", size: 20, salted: false },
  SHA256: { algorithm: "sha256", size: 32, salted: false },
  SHA512: { algorithm: "sha512", size: 64, salted: false },
  SSHA: { algorithm: "sha1", size: 20, salted: true },
  SSHA256: { algorithm: "sha256", size: 32, salted: true },
  SSHA512: { algorithm: "sha512", size: 64, salted: true },
};
/** Schemes for plain passwords. */
const plainSchemes = /^\{(?:PLAIN|CLEARTEXT|CLEAR)\}/i;

/** Most rounds of PBKDF2 and SCRAM, and cost of bcrypt, that are computed: some seconds. */
const maxRounds = 5_000_000;
const maxBcryptCost = 16;

/** The password from a text with `{PLAIN}` before it; undefined for others. */
export function plainPassword(text: string): string | undefined {
  const m = plainSchemes.exec(text);
  return m ? text.slice(m[0].length) : undefined;
}

/** True for a text that is a hash or looks like one: most likely nobody's password. */
export function looksLikeHash(text: string): boolean {
  return parsePasswordHash(text) !== undefined || plainSchemes.test(text) ||
    /^\{[A-Z][A-Z0-9-]+(?:\.[A-Z0-9]+)?\}./i.test(text) || /^\$[0-9a-z-]{1,16}\$./i.test(text);
}

/** Parses a hash; undefined for one that can't be verified here. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const m = /^\{([A-Za-z0-9-]+)(?:\.([A-Za-z0-9]+))?\}/.exec(text);
  if (!m) return parseUnprefixed(text);
  const scheme = m[1].toUpperCase();
  const rest = text.slice(m[0].length);
  const digest = digests[scheme];
  if (digest) return parseDigest(digest, m[2]?.toUpperCase(), rest);
  if (!selfDescribing.test(scheme) || m[2] !== undefined) return undefined;
  if (scheme === "PBKDF2") return parseDovecotPbkdf2(rest);
  if (scheme.startsWith("SCRAM-")) {
    return parseScram(scheme === "SCRAM-SHA-1" ? "sha1" : "sha256", rest);
  }
  return parseUnprefixed(rest);
}

function parseUnprefixed(text: string): PasswordHash | undefined {
  const argon =
    /^\$argon2(?:i|id)\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,4}),p=([0-9]{1,3})\$[^$]+\$[^$]+$/
      .exec(text);
  if (argon) {
    // Memory in KiB times passes is the work; one gigabyte is the most that is allocated.
    const [memory, passes, lanes] = argon.slice(1).map(Number);
    const fits = memory <= 1 << 20 && memory * passes <= 1 << 24 && lanes <= 64;
    return fits ? { kind: "argon2", text } : undefined;
  }
  const bcrypt = /^\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(text);
  if (bcrypt) {
    return Number(bcrypt[1]) <= maxBcryptCost
      ? { kind: "bcrypt", text: text.replace(/^\$2[bxy]/, "$2a") }
      : undefined;
  }
  const passlib =
    /^\$bcrypt-sha256\$v=2,t=2[ab],r=([0-9]{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/
      .exec(text);
  if (passlib) {
    const [, cost, salt, digest] = passlib;
    if (Number(cost) > maxBcryptCost) return undefined;
    const bcryptText = `$2a$${cost.padStart(2, "0")}$${salt}${digest}`;
    return { kind: "bcryptSha256", text: bcryptText, salt };
  }
  const sha = parseShaCrypt(text);
  if (sha) return { kind: "shaCrypt", hash: sha };
  const md5 = /^\$1\$([^$:\n]{0,8})\$([./0-9A-Za-z]{22})$/.exec(text);
  if (md5) return { kind: "md5Crypt", salt: md5[1], digest: md5[2] };
  return parsePasslibPbkdf2(text);
}

function parseDigest(
  d: { algorithm: string; size: number; salted: boolean },
  encoding: string | undefined,
  text: string,
): PasswordHash | undefined {
  const hex = encoding === "HEX" || (encoding === undefined && text.length === d.size * 2 &&
    /^[0-9a-fA-F]+$/.test(text));
  if (!hex && encoding !== undefined && encoding !== "B64" && encoding !== "BASE64") {
    return undefined;
  }
  const bytes = hex ? hexBytes(text) : base64Bytes(text);
  if (!bytes || bytes.length < d.size || (!d.salted && bytes.length !== d.size)) return undefined;
  return {
    kind: "sha",
    algorithm: d.algorithm,
    digest: bytes.subarray(0, d.size),
    salt: bytes.subarray(d.size),
  };
}

/** Parses `$1$salt$rounds$hex`, of SHA-1. */
function parseDovecotPbkdf2(text: string): PasswordHash | undefined {
  const m = /^\$1\$([^$]+)\$([0-9]{1,7})\$([0-9a-fA-F]{40})$/.exec(text);
  if (!m || !hasFewRounds(m[2])) return undefined;
  return {
    kind: "pbkdf2",
    algorithm: "sha1",
    rounds: Number(m[2]),
    salt: Buffer.from(m[1]),
    digest: Buffer.from(m[3], "hex"),
  };
}

/** Parses `$pbkdf2-sha256$rounds$salt$digest`, in base64 with a dot for the plus. */
function parsePasslibPbkdf2(text: string): PasswordHash | undefined {
  const m = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$([0-9]{1,7})\$([./A-Za-z0-9]*)\$([./A-Za-z0-9]+)$/
    .exec(text);
  if (!m || !hasFewRounds(m[2])) return undefined;
  const salt = base64Bytes(m[3].replaceAll(".", "+"));
  const digest = base64Bytes(m[4].replaceAll(".", "+"));
  const algorithm = m[1] ?? "sha1";
  const size = digests[algorithm.toUpperCase()].size;
  if (!salt || digest?.length !== size) return undefined;
  return { kind: "pbkdf2", algorithm, rounds: Number(m[2]), salt, digest };
}

/** Parses `iterations,salt,stored key,server key`. */
function parseScram(algorithm: "sha1" | "sha256", text: string): PasswordHash | undefined {
  const [rounds, saltText, stored, server, more] = text.split(",");
  const salt = base64Bytes(saltText ?? "");
  const storedKey = base64Bytes(stored ?? "");
  const size = algorithm === "sha1" ? 20 : 32;
  if (!salt || storedKey?.length !== size || server === undefined || more !== undefined) {
    return undefined;
  }
  if (!/^[0-9]{1,7}$/.test(rounds) || !hasFewRounds(rounds)) return undefined;
  return { kind: "scram", algorithm, rounds: Number(rounds), salt, storedKey };
}

function hasFewRounds(text: string): boolean {
  return Number(text) > 0 && Number(text) <= maxRounds;
}

function base64Bytes(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

function hexBytes(text: string): Buffer | undefined {
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? Buffer.from(text, "hex") : undefined;
}

/** Whether a password matches a hash. Blocks a thread for up to some seconds: call it in a Worker. */
export async function verifyPasswordHash(hash: PasswordHash, password: string): Promise<boolean> {
  switch (hash.kind) {
    case "argon2":
      return password !== "" && await argon2Verify({ password, hash: hash.text });
    case "bcrypt":
      return await verifyBcrypt(hash.text, Buffer.from(password));
    case "bcryptSha256": {
      const key = createHmac("sha256", hash.salt).update(password).digest("base64");
      return await verifyBcrypt(hash.text, Buffer.from(key));
    }
    case "shaCrypt":
      return same(
        Buffer.from(shaCrypt(hash.hash, password.slice(0, 1024))),
        Buffer.from(hash.hash.digest),
      );
    case "md5Crypt":
      return same(
        Buffer.from(md5Crypt(password.slice(0, 1024), hash.salt)),
        Buffer.from(hash.digest),
      );
    case "pbkdf2":
      return same(
        pbkdf2Sync(password, hash.salt, hash.rounds, hash.digest.length, hash.algorithm),
        hash.digest,
      );
    case "sha":
      return same(
        createHash(hash.algorithm).update(password).update(hash.salt).digest(),
        hash.digest,
      );
    case "scram": {
      const size = hash.algorithm === "sha1" ? 20 : 32;
      const salted = pbkdf2Sync(password, hash.salt, hash.rounds, size, hash.algorithm);
      const key = createHmac(hash.algorithm, salted).update("Client Key").digest();
      return same(createHash(hash.algorithm).update(key).digest(), hash.storedKey);
    }
  }
}

/** bcrypt uses 72 bytes of a password; other implementations also cut off the rest. */
async function verifyBcrypt(hash: string, password: Buffer): Promise<boolean> {
  if (password.length === 0) return false;
  return await bcryptVerify({ password: password.subarray(0, 72), hash });
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
