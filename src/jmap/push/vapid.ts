/** Identifies the sender to push services (RFC 8292, RFC 9749). @module */
import {
  newVapidKey as newKey,
  readVapidKey,
  vapidHeader,
  type VapidKey,
} from "../../net/webpush/vapid.ts";

/** A new key as text for storage. */
export async function newVapidKey(): Promise<string> {
  return JSON.stringify((await newKey()).jwk);
}

export class Vapid {
  readonly #key: VapidKey;
  readonly #subject: string;

  private constructor(key: VapidKey, subject: string) {
    this.#key = key;
    this.#subject = subject;
  }

  /** @param subject URL of the server's operator */
  static async open(text: string, subject: string): Promise<Vapid> {
    return new Vapid(await readVapidKey(JSON.parse(text)), subject);
  }

  /** The public key in base64url. */
  get publicKey(): string {
    return this.#key.public;
  }

  /** Value of Authorization for a push service. @param now milliseconds */
  authorization(origin: string, now: number): Promise<string> {
    return vapidHeader(this.#key, new URL(origin), this.#subject, now);
  }
}
