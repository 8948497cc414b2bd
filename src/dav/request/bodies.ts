/**
 * Bodies of requests: of a user only a few large ones are read at a time, as each is in memory until it is complete.
 * Others wait, unread.
 *
 * @module
 */
import { Places } from "../../platform/places.ts";
import type { WebRequest } from "../../web/http/mod.ts";

/** Bytes of a body above which it is large; one of unknown length counts as large too. */
const largeBody = 1024 * 1024;
/** Large bodies of a user that are read at a time. */
const maxLargeBodies = 4;

export class Bodies {
  readonly #users = new Map<string, { places: Places; requests: number }>();

  /** The request, whose body is read when it is its turn. */
  inTurn(req: WebRequest, user: string): WebRequest {
    return { ...req, body: (limit) => this.#read(req, user, limit) };
  }

  async #read(req: WebRequest, user: string, limit: number): Promise<Uint8Array> {
    const length = req.headers.get("content-length");
    if (!req.hasBody || length !== null && Number(length) <= largeBody) {
      return await req.body(limit);
    }
    const own = this.#users.get(user) ?? { places: new Places(maxLargeBodies), requests: 0 };
    this.#users.set(user, own);
    own.requests++;
    try {
      return await own.places.use(req.signal, () => req.body(limit));
    } finally {
      if (--own.requests === 0) this.#users.delete(user);
    }
  }
}
