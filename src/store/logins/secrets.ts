/**
 * The data that an account's logins are checked with, read in one go, and the checks of the password and of app
 * passwords.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  type CramMd5Credentials,
  decodeCredentials,
  type DerivedCredentials,
  type ScramCredentials,
} from "../../sasl/credentials.ts";
import type { RowDb } from "../database/database.ts";
import { appPasswordHash, type StoredAppPassword, storedAppPasswords } from "./app_passwords.ts";
import { checkPassword, isOwnHash, LoginsBusy } from "./password.ts";
import { parsePasswordHash } from "./password_hash.ts";
import { costOf, WrongTime } from "./wrong_time.ts";

/** Secrets of an account; none of them is a password. */
export interface Secrets {
  /** Argon2id of the password; undefined if none was set. */
  passwordHash: string | undefined;
  /** Name of the password as a credential, new for each password; undefined if none was set. */
  passwordName: string | undefined;
  /** Data derived from the password. */
  derived: DerivedCredentials;
  appPasswords: StoredAppPassword[];
  /** The password works only for the pages, and together with a code. */
  secondFactor: boolean;
}

/** The secrets of a name without an account. */
export const noSecrets: Secrets = {
  passwordHash: undefined,
  passwordName: undefined,
  derived: {},
  appPasswords: [],
  secondFactor: false,
};

/** Reads an account's secrets from its database. */
export function readSecrets(db: Pick<RowDb, "all">): Secrets {
  const rows: Record<string, string> = {};
  for (const [k, v] of db.all("SELECT kind, value FROM credentials")) rows[k] = v;
  return {
    passwordHash: rows.password,
    passwordName: rows.password &&
      (rows[passwordIdKind] ?? nameOfHash(rows.password)),
    derived: decodeCredentials(rows),
    appPasswords: storedAppPasswords(db),
    secondFactor: rows.totp !== undefined,
  };
}

/** Kind of the row that holds the password's name. */
export const passwordIdKind = "password-id";

/** A name for a new password. */
export function newPasswordId(): string {
  return `password ${randomBytes(12).toString("base64url")}`;
}

/** The name of a password that was set before passwords had names. */
const nameOfHash = (hash: string) =>
  `password ${createHash("sha256").update(hash).digest("base64url").slice(0, 16)}`;
const appPasswordName = (id: number) => `app password ${id}`;

/** Whether a program that has logged in with a credential, as named by the checks here, may stay logged in. */
export function stillOpens(secrets: Secrets, credential: string): boolean {
  if (secrets.appPasswords.some((p) => appPasswordName(p.id) === credential)) return true;
  return secrets.passwordName !== undefined && !secrets.secondFactor &&
    secrets.passwordName === credential;
}

/** How long a correct password is remembered, in milliseconds. */
const cacheTime = 10 * 60 * 1000;
/** Most passwords remembered. */
const maxKnown = 10_000;
// A MAC with a key of this process: what is kept in memory is useless elsewhere.
const cacheKey = randomBytes(32);
/** By the hash that it matches. */
const known = new Map<string, { mac: Uint8Array; until: number }>();

function mac(password: string): Uint8Array {
  return createHmac("sha256", cacheKey).update(password).digest();
}

/** Whether a password is known to match a hash, from a check at most some minutes ago. */
function isKnown(hash: string, bytes: Uint8Array): boolean {
  const before = known.get(hash);
  return before !== undefined && before.until > Date.now() && timingSafeEqual(before.mac, bytes);
}

function remember(hash: string, bytes: Uint8Array): void {
  known.delete(hash);
  known.set(hash, { mac: bytes, until: Date.now() + cacheTime });
  if (known.size > maxKnown) {
    for (const [first] of known) {
      known.delete(first);
      break;
    }
  }
}

/** Checked in place of a missing hash, so that timing doesn't reveal which accounts exist. */
const absentHash =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** For all accounts of this process. */
export const wrongTime = new WrongTime();
/** Costs being measured. */
const measured = new Set<string>();

/**
 * Measures what a hash of another server costs, before a first wrong attempt would reveal it; skipped if a hash
 * of the same cost was measured before. If it fails, that attempt measures it.
 */
export async function measureHash(hash: string): Promise<void> {
  const other = isOwnHash(hash) ? undefined : parsePasswordHash(hash);
  if (other === undefined) return;
  const cost = costOf(other);
  if (wrongTime.knows(cost) || measured.has(cost)) return;
  measured.add(cost);
  try {
    const began = performance.now();
    await checkPassword(randomBytes(16).toString("hex"), hash);
    wrongTime.foreign(cost, performance.now() - began);
  } catch {
    // There are too many logins at the moment, or the Worker has ended.
  } finally {
    measured.delete(cost);
  }
}

/** Does the work of checking one of our own hashes. */
async function checkAbsent(password: string, from: string): Promise<void> {
  const began = performance.now();
  await checkPassword(password, absentHash, from).catch((err) => {
    // As for an existing name.
    if (err instanceof LoginsBusy) throw err;
  });
  wrongTime.own(performance.now() - began);
}

/**
 * Checks a password against a hash; a right one is remembered for some minutes, so that clients reconnect fast.
 * Without a hash the same time is spent, and another server's hash takes no other time than ours
 * (wrong_time.ts).
 * @param from decides its place in the queue, such as an address
 * @throws LoginsBusy if it can't be checked now
 */
export async function verifyPassword(
  hash: string | undefined,
  password: string,
  from = "",
): Promise<boolean> {
  const began = performance.now();
  if (hash === undefined) {
    await checkAbsent(password, from);
    await wrongTime.passed(began);
    return false;
  }
  const m = mac(password);
  if (isKnown(hash, m)) return true;
  const remembered = { has: () => isKnown(hash, m), add: () => remember(hash, m) };
  if (!await checkPassword(password, hash, from, remembered)) {
    const other = isOwnHash(hash) ? undefined : parsePasswordHash(hash);
    if (other !== undefined) {
      wrongTime.foreign(costOf(other), performance.now() - began);
      await checkAbsent(password, from).catch(() => {});
    }
    await wrongTime.passed(began);
    return false;
  }
  return true;
}

/** The result for a password sent by a program. */
export interface ProgramLogin {
  /** "secondFactor": it is the user's own, and would be right without a second factor. */
  result: "ok" | "wrong" | "secondFactor";
  /** Name of the credential that it logged in with. */
  credential?: string;
  /** Id of the matching app password. */
  appPassword?: number;
}

/** The id of the matching app password; undefined if none matches. */
function appPasswordOf(secrets: Secrets, password: string): number | undefined {
  const hash = Buffer.from(appPasswordHash(password));
  let found: number | undefined;
  for (const p of secrets.appPasswords) {
    const stored = Buffer.from(p.hash);
    if (stored.length === hash.length && timingSafeEqual(stored, hash)) found = p.id;
  }
  return found;
}

/**
 * The result for a program's password if it is right and needs no computation: an app password, or the user's
 * own if it was right some minutes ago. Undefined for all others, which {@link verifyForProgram} has to check.
 */
export function rightForProgram(secrets: Secrets, password: string): ProgramLogin | undefined {
  const id = appPasswordOf(secrets, password);
  if (id !== undefined) return { result: "ok", credential: appPasswordName(id), appPassword: id };
  if (secrets.secondFactor || secrets.passwordHash === undefined) return undefined;
  if (!isKnown(secrets.passwordHash, mac(password))) return undefined;
  return { result: "ok", credential: secrets.passwordName };
}

/** Checks a password that a program has sent. */
export async function verifyForProgram(
  secrets: Secrets,
  password: string,
  from = "",
): Promise<ProgramLogin> {
  const id = appPasswordOf(secrets, password);
  if (id !== undefined) return { result: "ok", credential: appPasswordName(id), appPassword: id };
  if (!await verifyPassword(secrets.passwordHash, password, from)) return { result: "wrong" };
  if (secrets.secondFactor) return { result: "secondFactor" };
  return { result: "ok", credential: secrets.passwordName };
}

type Named = DerivedCredentials & { credential: string; used?: () => void };

/** All passwords that programs may log in with. `used` is called with the id of an app password. */
function forPrograms(secrets: Secrets, used?: (appPassword: number) => void): Named[] {
  const own = secrets.secondFactor || secrets.passwordName === undefined
    ? []
    : [{ ...secrets.derived, credential: secrets.passwordName }];
  return [
    ...own,
    ...secrets.appPasswords.map((password) => ({
      ...password.derived,
      credential: appPasswordName(password.id),
      used: () => used?.(password.id),
    })),
  ];
}

/** The SCRAM credentials; undefined if the account has none. */
export function scramCredentials(
  secrets: Secrets,
  mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256",
  used?: (appPassword: number) => void,
): ScramCredentials | undefined {
  const all = forPrograms(secrets, used).flatMap((named) => {
    const c = mechanism === "SCRAM-SHA-1" ? named.scramSha1 : named.scramSha256;
    return c ? [{ ...c, credential: named.credential, used: named.used }] : [];
  });
  // The client computes with the first one's salt: those with another salt can't match.
  const others = all.slice(1).filter((c) =>
    Buffer.compare(c.salt, all[0].salt) === 0 && c.iterations === all[0].iterations
  );
  return all.length === 0 ? undefined : { ...all[0], others };
}

/** The CRAM-MD5 credentials; undefined if the account has none. */
export function cramMd5Credentials(
  secrets: Secrets,
  used?: (appPassword: number) => void,
): CramMd5Credentials | undefined {
  const all = forPrograms(secrets, used).flatMap((d) =>
    d.cramMd5 ? [{ ...d.cramMd5, credential: d.credential, used: d.used }] : []
  );
  return all.length === 0 ? undefined : { ...all[0], others: all.slice(1) };
}
