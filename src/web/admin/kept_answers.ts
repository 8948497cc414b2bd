/**
 * Requests with an Idempotency-Key: carried out once, and given the same answer again for a day, even after a restart.
 * Answers may contain passwords, so they are stored encrypted with a key that only the token's owner can derive.
 *
 * @module
 */
import { createHash, hkdfSync } from "node:crypto";
import { HttpError, seal, unseal } from "../http/mod.ts";
import { ApiError } from "../webapi/errors.ts";
import { requestHash, SeenRequests } from "../webapi/seen_requests.ts";

function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", "answers of the admin API", 32));
}

export class KeptAnswers {
  readonly #dataDir: string;
  /** Opened at the first request that needs it. */
  #seen: Promise<SeenRequests> | undefined;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /**
   * Carries out a request, unless that was done already.
   * @param secret the caller's token
   * @param request must be the same for the same key
   * @throws HttpError 400, 409; errors of `run`, which are not stored
   */
  async once(
    secret: string,
    key: string,
    request: string,
    run: () => Promise<unknown>,
  ): Promise<unknown> {
    if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw new HttpError(400, "an Idempotency-Key has 1 to 200 printable characters of ASCII");
    }
    const seen = await (this.#seen ??= SeenRequests.open(this.#dataDir));
    try {
      const sealed = await seen.once(
        // No account can have such a name.
        `\0admin token ${createHash("sha256").update(secret).digest("base64url")}`,
        key,
        await requestHash(new TextEncoder().encode(request)),
        async () => seal(keyOf(secret), JSON.stringify(await run() ?? null)),
      );
      return JSON.parse(unseal(keyOf(secret), sealed)!);
    } catch (e) {
      if (e instanceof ApiError) throw new HttpError(409, e.message, {}, { cause: e });
      throw e;
    }
  }

  async close(): Promise<void> {
    await (await this.#seen)?.close();
  }
}
