/** The Worker side of password.ts. @module */
import { argon2id } from "hash-wasm";
import { answerRequests } from "../../platform/worker.ts";
import { parsePasswordHash, verifyPasswordHash } from "./password_hash.ts";

export interface PasswordRequest {
  password: string;
  /** Given: check against it. Missing: make a hash. */
  hash?: string;
}

// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane.
const cost = { memorySize: 19 * 1024, iterations: 2, parallelism: 1, hashLength: 32 };

answerRequests(({ password, hash }: PasswordRequest): Promise<string | boolean> => {
  if (hash !== undefined) {
    const parsed = parsePasswordHash(hash);
    if (!parsed) throw new Error("the stored hash of the password is of an unknown kind");
    return verifyPasswordHash(parsed, password);
  }
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return argon2id({ password, salt, ...cost, outputType: "encoded" });
});
