/**
 * What an account's logins are checked with, read at once, and the checks: of the password and of app passwords.
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
  /** Name of the password as a credential, another one for each password; undefined if none was set. */
  passwordName: string | undefined;
  /** Of the password. */
  derived: DerivedCredentials;
  appPasswords: StoredAppPassword[];
  /** The password opens the pages only, and together with a code. */
  secondFactor: boolean;
}

/** Those of a name without account. */
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

/** Kind of the row that has the name of the password. */
export const passwordIdKind = "password-id";

/** A name for a new password. */
export function newPasswordId(): string {
  return `password ${randomBytes(12).toString("base64url")}`;
}

/** Of passwords that were set before they had names. */
const nameOfHash = (hash: string) =>
  `password ${createHash("sha256").update(hash).digest("base64url").slice(0, 16)}`;
const appPasswordName = (id: number) => `app password ${id}`;

/** Whether a program may stay in that has logged in with a credential, as the checks here name them. */
export function stillOpens(secrets: Secrets, credential: string): boolean {
  if (secrets.appPasswords.some((p) => appPasswordName(p.id) === credential)) return true;
  return secrets.passwordName !== undefined && !secrets.secondFactor &&
    secrets.passwordName === credential;
}

/** How long a password that was right is known to be so, in milliseconds. */
const cacheTime = 10 * 60 * 1000;
/** Passwords that are known. */
const maxKnown = 10_000;
// A MAC with a key of this process: what is kept in memory is of no use elsewhere.
const cacheKey = randomBytes(32);
/** By the hash that it fits. */
const known = new Map<string, { mac: Uint8Array; until: number }>();

function mac(password: string): Uint8Array {
  return createHmac("sha256", cacheKey).update(password).digest();
}

/** Whether a password fits a hash, as was found out some minutes ago at most. */
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

/** Checked in place of a hash that doesn't exist, so that timing doesn't tell which accounts do. */
const absentHash =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Of all accounts of this process. */
export const wrongTime = new WrongTime();
/** Costs that are being measured. */
const measured = new Set<string>();

/**
 * Measures what a hash of another server costs, before somebody's first wrong try would show it; not if one that costs
 * the same was measured before. What fails is left to that try.
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
    // There are too many logins now, or the Worker has ended.
  } finally {
    measured.delete(cost);
  }
}

/** Does the work of a hash of our own. */
async function checkAbsent(password: string, from: string): Promise<void> {
  const began = performance.now();
  await checkPassword(password, absentHash, from).catch((err) => {
    // As with a name that there is.
    if (err instanceof LoginsBusy) throw err;
  });
  wrongTime.own(performance.now() - began);
}

/**
 * Checks a password against a hash; a right one is remembered for some minutes, so that clients reconnect fast.
 * Without hash the time is spent all the same, and with another server's no other than with ours (wrong_time.ts).
 * @param from whose place in the queue it takes, such as an address
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

/** What a password that a program has sent is. */
export interface ProgramLogin {
  /**
   * "secondFactor": it is the user's own, and would be right were there no second factor.
   */
  result: "ok" | "wrong" | "secondFactor";
  /** Name of what it has logged in with. */
  credential?: string;
  /** Id of the app password that it was. */
  appPassword?: number;
}

/** The id of the app password that it is; undefined if it is none of them. */
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
 * What a password of a program is, if it is right and that can be said at once: an app password, or the user's own
 * when it was right some minutes ago. Undefined of all others, which {@link verifyForProgram} has to check.
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

/** Of all passwords that programs may log in with. `used` is called with the id of an app password. */
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

/** What SCRAM checks with; undefined if the account has nothing for it. */
export function scramCredentials(
  secrets: Secrets,
  mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256",
  used?: (appPassword: number) => void,
): ScramCredentials | undefined {
  const all = forPrograms(secrets, used).flatMap((named) => {
    const c = mechanism === "SCRAM-SHA-1" ? named.scramSha1 : named.scramSha256;
    return c ? [{ ...c, credential: named.credential, used: named.used }] : [];
  });
  // The client computes with the salt of the first: those with another can't fit.
  const others = all.slice(1).filter((c) =>
    Buffer.compare(c.salt, all[0].salt) === 0 && c.iterations === all[0].iterations
  );
  return all.length === 0 ? undefined : { ...all[0], others };
}

/** What CRAM-MD5 checks with; undefined if the account has nothing for it. */
export function cramMd5Credentials(
  secrets: Secrets,
  used?: (appPassword: number) => void,
): CramMd5Credentials | undefined {
  const all = forPrograms(secrets, used).flatMap((d) =>
    d.cramMd5 ? [{ ...d.cramMd5, credential: d.credential, used: d.used }] : []
  );
  return all.length === 0 ? undefined : { ...all[0], others: all.slice(1) };
}
