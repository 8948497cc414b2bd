/** The Worker side of password.ts. @module */
import { argon2id, argon2Verify } from "hash-wasm";

export interface PasswordRequest {
  id: number;
  password: string;
  /** Given: check against it. Missing: make a hash. */
  hash?: string;
}
export interface PasswordReply {
  id: number;
  hash?: string;
  ok?: boolean;
  error?: string;
}

const scope = self as unknown as {
  onmessage: (e: MessageEvent<PasswordRequest>) => void;
  postMessage(m: PasswordReply): void;
};

// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane.
const cost = { memorySize: 19 * 1024, iterations: 2, parallelism: 1, hashLength: 32 };

scope.onmessage = async (e) => {
  const { id, password, hash } = e.data;
  try {
    if (hash === undefined) {
      const salt = crypto.getRandomValues(new Uint8Array(16));
      scope.postMessage({
        id,
        hash: await argon2id({ password, salt, ...cost, outputType: "encoded" }),
      });
    } else {
      scope.postMessage({ id, ok: await argon2Verify({ password, hash }) });
    }
  } catch (err) {
    scope.postMessage({ id, error: err instanceof Error ? err.message : String(err) });
  }
};
