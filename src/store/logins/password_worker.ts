/** The Worker side of password.ts. @module */
import { argon2id } from "hash-wasm";
import { answerRequests } from "../../platform/workers/worker.ts";
import { parsePasswordHash, verifyPasswordHash } from "./password_hash.ts";

export interface PasswordRequest {
  password: string;
  /** Given: check against it. Missing: compute a hash. */
  hash?: string;
}

// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane.
const cost = { memorySize: 19 * 1024, iterations: 2, parallelism: 1, hashLength: 32 };

/** Hashes after which their garbage is collected. */
const collectedAfter = 2;
/**
 * Bytes of a buffer that make V8 collect garbage. Nothing is written into it, so that it takes no memory
 * itself.
 */
const pressure = 256 * 1024 * 1024;
let left = 0;

/**
 * Each hash has its own memory of 19 MiB, which V8 doesn't count: it would keep fifteen of them before
 * collecting any.
 */
function collect(): void {
  if (++left < collectedAfter) return;
  left = 0;
  try {
    new ArrayBuffer(pressure);
  } catch {
    // Address space is limited here: they are collected late then.
  }
}

answerRequests(async (request: PasswordRequest): Promise<string | boolean> => {
  try {
    return await answer(request);
  } finally {
    collect();
  }
});

async function answer({ password, hash }: PasswordRequest): Promise<string | boolean> {
  if (hash !== undefined) {
    const parsed = parsePasswordHash(hash);
    if (!parsed) throw new Error("the stored hash of the password is of an unknown kind");
    return await verifyPasswordHash(parsed, password);
  }
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return await argon2id({ password, salt, ...cost, outputType: "encoded" });
}
