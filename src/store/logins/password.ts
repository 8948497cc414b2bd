/**
 * Password hashes: argon2id, computed in a Worker so that no connection waits for another's login.
 *
 * @module
 */
import { workerClient } from "../../platform/worker.ts";
import type { PasswordRequest } from "./password_worker.ts";

/** Logins that may wait at a time; more are refused rather than piled up. */
const maxWaiting = 200;

const worker = workerClient<PasswordRequest, string | boolean>({
  name: "password",
  start: () => new Worker(new URL("./password_worker.ts", import.meta.url), { type: "module" }),
  // With it go the 19 MiB that argon2 works in.
  idleTimeout: 30_000,
});

function ask(request: PasswordRequest): Promise<string | boolean> {
  if (worker.waiting() >= maxWaiting) {
    return Promise.reject(new Error("too many logins at a time"));
  }
  return worker.ask(request);
}

/** True for a hash as it is made here; others are replaced when the password is known. */
export function isOwnHash(hash: string): boolean {
  return hash.startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
}

/** Hash of a password in PHC format (`$argon2id$...`), with a new salt. */
export async function hashPassword(password: string): Promise<string> {
  return await ask({ password }) as string;
}

/** True if the password is the one that was hashed, here or by another server (password_hash.ts). Takes the same time whether it is or not. */
export async function checkPassword(password: string, hash: string): Promise<boolean> {
  return await ask({ password, hash }) as boolean;
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
