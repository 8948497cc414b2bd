/** The Worker side of password.ts. @module */
import { argon2id, argon2Verify } from "hash-wasm";
import { answerRequests } from "../../platform/worker.ts";

export interface PasswordRequest {
  password: string;
  /** Given: check against it. Missing: make a hash. */
  hash?: string;
}

// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane.
const cost = { memorySize: 19 * 1024, iterations: 2, parallelism: 1, hashLength: 32 };

answerRequests(({ password, hash }: PasswordRequest): Promise<string | boolean> => {
  if (hash !== undefined) return argon2Verify({ password, hash });
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return argon2id({ password, salt, ...cost, outputType: "encoded" });
});
