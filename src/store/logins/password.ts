/**
 * Password hashes: argon2id, computed in a Worker so that no connection waits for another's login.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { workerClient } from "../../platform/workers/worker.ts";
import { looksLikeHash, parsePasswordHash, plainPassword } from "./password_hash.ts";
import type { PasswordRequest } from "./password_worker.ts";

/** Most logins waiting at a time, in total and per place; more are refused rather than queued. */
const maxWaiting = 200;
const maxWaitingOfPlace = 20;
/** Logins handed to the Worker: one being computed, and the next. */
const maxAsked = 2;

const worker = workerClient<PasswordRequest, string | boolean>({
  name: "password",
  start: () => new Worker(new URL("./password_worker.ts", import.meta.url), { type: "module" }),
  // This frees the 19 MiB that argon2 works in.
  idleTimeout: 30_000,
});

/** Too many passwords wait to be checked, in total or from one place; this one was not checked. */
export class LoginsBusy extends Error {
  override name = "LoginsBusy";
  constructor() {
    super("too many logins at a time, try again later");
  }
}

/** Starts a waiting login. */
type Start = () => void;
/** Waiting logins by place; places take turns, so that one with many does not hold up the others. */
const waiting = new Map<string, Start[]>();
let waitingCount = 0;
let asked = 0;

/** A password check that remembers results. */
export interface KnownPassword {
  /** Whether it is known to be right, perhaps from another check meanwhile. */
  has(): boolean;
  /** Remembers it as right. */
  add(): void;
}

/** Settles when the Worker has finished a computation. */
let ended = Promise.withResolvers<void>();

/**
 * Asks the Worker in turn.
 * @param known checked when its turn comes and, if the queue is full, after the next computation ends: a
 *   client that logs in on many connections at once has its password computed once
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

/** Hands the Worker to a login from the place whose turn it is. */
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

/** True for a hash in our own form; others are replaced when the password is known. */
export function isOwnHash(hash: string): boolean {
  return hash.startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
}

/** Hash of a password in PHC format (`$argon2id$...`), with a new salt. */
export async function hashPassword(password: string): Promise<string> {
  return await ask({ password }, "") as string;
}

/**
 * True if the password is the one that was hashed, here or by another server (password_hash.ts). Takes the same
 * time whether it is or not.
 * @param from the place of the login, such as an address: places take turns
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
 * Whether a password matches a directory's value: a hash, with or without its scheme in braces, or, if it
 * doesn't look like a hash, the password itself (RFC 4519 §2.41).
 * @param from the place of the login, such as an address
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
 * Starts the Worker and keeps it running. Called before privileges are dropped if the program runs from
 * sources, which the new user may not be able to read.
 */
export async function keepPasswordWorker(): Promise<void> {
  await hashPassword("started");
  worker.keep();
}

/** Ends the Worker, unless logins wait for it; the next login starts a new one. */
export function stopPasswordWorker(): void {
  worker.stop();
}
