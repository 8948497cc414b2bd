/**
 * Password hashes: argon2id, computed in a Worker so that no connection waits for another's login.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { workerClient } from "../../platform/worker.ts";
import { looksLikeHash, parsePasswordHash, plainPassword } from "./password_hash.ts";
import type { PasswordRequest } from "./password_worker.ts";

/** Logins that may wait at a time, in all and of one place; more are refused rather than piled up. */
const maxWaiting = 200;
const maxWaitingOfPlace = 20;
/** Those that the Worker has: one that it computes, and the next. */
const maxAsked = 2;

const worker = workerClient<PasswordRequest, string | boolean>({
  name: "password",
  start: () => new Worker(new URL("./password_worker.ts", import.meta.url), { type: "module" }),
  // With it go the 19 MiB that argon2 works in.
  idleTimeout: 30_000,
});

/** Too many passwords wait to be checked, in all or of one place: whether this one is right was not found out. */
export class LoginsBusy extends Error {
  override name = "LoginsBusy";
  constructor() {
    super("too many logins at a time, try again later");
  }
}

/** Starts one that waits. */
type Start = () => void;
/** Those that wait, by place; places take turns, so that one with many keeps no other waiting for all of them. */
const waiting = new Map<string, Start[]>();
let waitingCount = 0;
let asked = 0;

/** What is remembered of a password. */
export interface KnownPassword {
  /** It was found to be right, perhaps for another one who asked meanwhile. */
  has(): boolean;
  /** It is right. */
  add(): void;
}

/** Settles when the Worker has ended what it computes. */
let ended = Promise.withResolvers<void>();

/**
 * Asks the Worker in turn.
 * @param known looked at when it is its turn, and where there is no place left after the next that ends: a client that
 *   logs in on many connections at once has its password computed once
 * @throws LoginsBusy
 */
async function ask(
  request: PasswordRequest,
  from: string,
  known?: KnownPassword,
): Promise<string | boolean> {
  const own = waiting.get(from);
  if (waitingCount >= maxWaiting || (own?.length ?? 0) >= maxWaitingOfPlace) {
    await ended.promise;
    if (known?.has()) return true;
    throw new LoginsBusy();
  }
  if (asked < maxAsked) asked++;
  else {
    waitingCount++;
    await new Promise<void>((start) => {
      if (own) own.push(start);
      else waiting.set(from, [start]);
    });
  }
  try {
    if (known?.has()) return true;
    const answer = await worker.ask(request);
    if (answer === true) known?.add();
    return answer;
  } finally {
    ended.resolve();
    ended = Promise.withResolvers();
    next();
  }
}

/** Hands a place at the Worker to one of the place whose turn it is. */
function next(): void {
  for (const [from, starts] of waiting) {
    const start = starts.shift()!;
    waiting.delete(from);
    if (starts.length > 0) waiting.set(from, starts);
    waitingCount--;
    return start();
  }
  asked--;
}

/** True for a hash as it is made here; others are replaced when the password is known. */
export function isOwnHash(hash: string): boolean {
  return hash.startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
}

/** Hash of a password in PHC format (`$argon2id$...`), with a new salt. */
export async function hashPassword(password: string): Promise<string> {
  return await ask({ password }, "") as string;
}

/**
 * True if the password is the one that was hashed, here or by another server (password_hash.ts). Takes the same time
 * whether it is or not.
 * @param from the place that asks, such as an address: places take turns
 * @throws LoginsBusy
 */
export async function checkPassword(
  password: string,
  hash: string,
  from = "",
  known?: KnownPassword,
): Promise<boolean> {
  return await ask({ password, hash }, from, known) as boolean;
}

/**
 * Whether a password is that of a value that a directory has: a hash with its scheme in braces or without, or, without
 * any mark of one, the password itself (RFC 4519 §2.41).
 * @param from the place that asks, such as an address
 * @returns undefined for a hash of a kind that can't be verified
 */
export async function fitsHash(
  password: string,
  value: string,
  from: string,
): Promise<boolean | undefined> {
  if (parsePasswordHash(value) !== undefined) return await checkPassword(password, value, from);
  const plain = plainPassword(value) ?? (looksLikeHash(value) ? undefined : value);
  if (plain === undefined) return undefined;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(password), digest(plain));
}

/**
 * Starts the Worker and keeps it: for before privileges are dropped where the program runs from sources,
 * which the user that it becomes may not be able to read.
 */
export async function keepPasswordWorker(): Promise<void> {
  await hashPassword("started");
  worker.keep();
}

/** Ends the Worker, unless logins wait for it; the next login starts a new one. */
export function stopPasswordWorker(): void {
  worker.stop();
}
