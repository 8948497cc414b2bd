/**
 * Password hashes: argon2id, computed in a Worker so that no connection waits for another's login.
 *
 * @module
 */
import type { PasswordReply, PasswordRequest } from "./password_worker.ts";

let worker: Worker | undefined;
let sequence = 0;
let idle: ReturnType<typeof setTimeout> | undefined;
let kept = false;
const waiting = new Map<
  number,
  { resolve: (r: PasswordReply) => void; reject: (e: Error) => void }
>();

/** Milliseconds after which the Worker (and the 19 MiB that argon2 works in) is let go. */
const idleTimeout = 30_000;
/** Logins that may wait at a time; more are refused rather than piled up. */
const maxWaiting = 200;

function start(): Worker {
  const w = new Worker(new URL("./password_worker.ts", import.meta.url), { type: "module" });
  w.onmessage = (e: MessageEvent<PasswordReply>) => {
    waiting.get(e.data.id)?.resolve(e.data);
    waiting.delete(e.data.id);
    if (waiting.size === 0 && !kept) {
      idle = setTimeout(stopPasswordWorker, idleTimeout);
      Deno.unrefTimer(idle as unknown as number);
    }
  };
  w.onerror = (e) => {
    e.preventDefault();
    for (const p of waiting.values()) p.reject(new Error(`password worker: ${e.message}`));
    waiting.clear();
    stopPasswordWorker();
  };
  return w;
}

function ask(request: Omit<PasswordRequest, "id">): Promise<PasswordReply> {
  if (waiting.size >= maxWaiting) return Promise.reject(new Error("too many logins at a time"));
  clearTimeout(idle);
  worker ??= start();
  const id = ++sequence;
  const { promise, resolve, reject } = Promise.withResolvers<PasswordReply>();
  waiting.set(id, { resolve, reject });
  worker.postMessage({ id, ...request });
  return promise;
}

/** Hash of a password in PHC format (`$argon2id$...`), with a new salt. */
export async function hashPassword(password: string): Promise<string> {
  const r = await ask({ password });
  if (r.hash === undefined) throw new Error(r.error ?? "hashing failed");
  return r.hash;
}

/** True if the password is the one that was hashed. Takes the same time whether it is or not. */
export async function checkPassword(password: string, hash: string): Promise<boolean> {
  const r = await ask({ password, hash });
  if (r.ok === undefined) throw new Error(r.error ?? "checking failed");
  return r.ok;
}

/**
 * Starts the Worker and keeps it: for before privileges are dropped where the program runs from sources,
 * which the user that it becomes may not be able to read.
 */
export async function keepPasswordWorker(): Promise<void> {
  kept = true;
  await hashPassword("started");
}

/** Ends the Worker; the next login starts a new one. */
export function stopPasswordWorker(): void {
  clearTimeout(idle);
  worker?.terminate();
  worker = undefined;
}
