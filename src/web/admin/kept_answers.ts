/**
 * Requests with an Idempotency-Key: carried out once, and answered again as they were for a day, after a restart too.
 * Answers may have passwords in them, so they are kept encrypted with a key that only who has the token can make.
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
   * Carries a request out, unless it was already.
   * @param secret the caller's token
   * @param request what must be the same for the same key
   * @throws HttpError 400, 409; what `run` throws, which is forgotten
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
        // No account has such a name.
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
