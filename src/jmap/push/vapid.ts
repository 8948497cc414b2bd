/** Who pushes, for push services to know (RFC 8292, RFC 9749). @module */

/** Seconds that a token is good for. */
const tokenTime = 12 * 3600;
const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;

function base64url(b: Uint8Array): string {
  return b.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** A new key as text that can be kept. */
export async function newVapidKey(): Promise<string> {
  const pair = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  return JSON.stringify(await crypto.subtle.exportKey("jwk", pair.privateKey));
}

export class Vapid {
  readonly #key: CryptoKey;
  readonly #subject: string;
  /** The public key in base64url. */
  readonly publicKey: string;

  private constructor(key: CryptoKey, publicKey: string, subject: string) {
    this.#key = key;
    this.publicKey = publicKey;
    this.#subject = subject;
  }

  /** @param subject URL of who runs the server */
  static async open(text: string, subject: string): Promise<Vapid> {
    const jwk = JSON.parse(text) as JsonWebKey;
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
    const point = new Uint8Array(65);
    point[0] = 4;
    point.set(Uint8Array.fromBase64(jwk.x!, { alphabet: "base64url" }), 1);
    point.set(Uint8Array.fromBase64(jwk.y!, { alphabet: "base64url" }), 33);
    return new Vapid(key, base64url(point), subject);
  }

  /** Value of Authorization for a push service. @param now milliseconds */
  async authorization(origin: string, now: number): Promise<string> {
    const encode = (o: unknown) => base64url(new TextEncoder().encode(JSON.stringify(o)));
    const exp = Math.floor(now / 1000) + tokenTime;
    const text = `${encode({ typ: "JWT", alg: "ES256" })}.${
      encode({ aud: origin, exp, sub: this.#subject })
    }`;
    const signature = new Uint8Array(
      await crypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" },
        this.#key,
        new TextEncoder().encode(text),
      ),
    );
    return `vapid t=${text}.${base64url(signature)}, k=${this.publicKey}`;
  }
}
