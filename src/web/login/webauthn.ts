/**
 * Verifying passkeys (W3C Web Authentication §7): that a device has the private key, that it asked its user who they
 * are, and that it was for this page and this login. Where keys come from (attestation) is not looked at.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";

/** Milliseconds for which a challenge can be answered. */
const lifetime = 5 * 60_000;
/** Challenges that wait for an answer. */
const maxChallenges = 10_000;
/** ES256, EdDSA and RS256. */
export const passkeyAlgorithms = [-7, -8, -257];

/** An answer that can't be accepted; the text says why, for the log. */
export class PasskeyError extends Error {
  override name = "PasskeyError";
}

/** Challenges that were given out, each good once. */
export class Challenges {
  readonly #open = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A new one, base64url. */
  make(): string {
    const now = this.#now();
    for (const [c, until] of this.#open) {
      if (until > now && this.#open.size < maxChallenges) break;
      this.#open.delete(c);
    }
    const challenge = randomBytes(32).toString("base64url");
    this.#open.set(challenge, now + lifetime);
    return challenge;
  }

  /** True once for each that was given out, while it lives. */
  use(challenge: string): boolean {
    const until = this.#open.get(challenge);
    this.#open.delete(challenge);
    return until !== undefined && until > this.#now();
  }
}

/** What a browser says, all base64url. */
export interface PasskeyAnswer {
  /** Of the credential. */
  id: string;
  clientData: string;
  authenticatorData: string;
}

/** Where it was asked. */
export interface PasskeyPlace {
  /** Host and port of the page. */
  host: string;
  /** Host alone: the relying party. */
  hostname: string;
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "base64url"));
const sha256 = (b: Uint8Array | string) => createHash("sha256").update(b).digest();

interface AuthenticatorData {
  bytes: Uint8Array;
  flags: number;
  signCount: number;
}

/** Checks what a login and a new passkey have in common (§7.1, §7.2). @throws PasskeyError */
function checked(
  a: PasskeyAnswer,
  type: "webauthn.create" | "webauthn.get",
  place: PasskeyPlace,
  challenges: Challenges,
): AuthenticatorData {
  let client: { type?: unknown; challenge?: unknown; origin?: unknown };
  try {
    client = JSON.parse(Buffer.from(a.clientData, "base64url").toString());
  } catch (cause) {
    throw new PasskeyError("client data is not JSON", { cause });
  }
  if (client === null || typeof client !== "object") {
    throw new PasskeyError("client data is no object");
  }
  if (client.type !== type) throw new PasskeyError("answer is of another kind");
  if (typeof client.challenge !== "string" || !challenges.use(client.challenge)) {
    throw new PasskeyError("challenge is not known (any more)");
  }
  // Only the host: behind a reverse proxy the scheme may differ.
  if (URL.parse(String(client.origin))?.host !== place.host) {
    throw new PasskeyError("answer is for another site");
  }
  const bytes = bytesOf(a.authenticatorData);
  if (bytes.length < 37) throw new PasskeyError("authenticator data is too short");
  if (!sha256(place.hostname).equals(bytes.subarray(0, 32))) {
    throw new PasskeyError("key is for another site");
  }
  const flags = bytes[32];
  // The user was there (bit 0), and was asked who they are (bit 2): a passkey stands for password and code.
  if ((flags & 1) === 0 || (flags & 4) === 0) throw new PasskeyError("user was not verified");
  return { bytes, flags, signCount: new DataView(bytes.buffer).getUint32(33) };
}

/** A new passkey, as the browser gives it. */
export interface NewPasskey extends PasskeyAnswer {
  /** SubjectPublicKeyInfo, DER, base64url. */
  publicKey: string;
  algorithm: number;
}

/** Checks a new passkey (§7.1). @throws PasskeyError */
export function checkNewPasskey(
  p: NewPasskey,
  place: PasskeyPlace,
  challenges: Challenges,
): { credentialId: Uint8Array; publicKey: Uint8Array; algorithm: number; signCount: number } {
  const { bytes, flags, signCount } = checked(p, "webauthn.create", place, challenges);
  const credentialId = bytesOf(p.id);
  if ((flags & 0x40) === 0 || bytes.length < 55) throw new PasskeyError("there is no key in it");
  const length = (bytes[53] << 8) | bytes[54];
  if (!Buffer.from(credentialId).equals(bytes.subarray(55, 55 + length)) || length === 0) {
    throw new PasskeyError("key has another id");
  }
  if (!passkeyAlgorithms.includes(p.algorithm)) throw new PasskeyError("algorithm is not known");
  const publicKey = bytesOf(p.publicKey);
  keyOf(publicKey);
  return { credentialId, publicKey, algorithm: p.algorithm, signCount };
}

function keyOf(spki: Uint8Array) {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch (cause) {
    throw new PasskeyError("public key can't be read", { cause });
  }
}

/** Checks a login (§7.2). @returns the device's counter. @throws PasskeyError */
export function checkPasskeyLogin(
  a: PasskeyAnswer & { signature: string },
  key: { publicKey: Uint8Array; algorithm: number; signCount: number },
  place: PasskeyPlace,
  challenges: Challenges,
): number {
  const { bytes, signCount } = checked(a, "webauthn.get", place, challenges);
  const signed = Buffer.concat([bytes, sha256(bytesOf(a.clientData))]);
  const digest = key.algorithm === -8 ? null : "sha256";
  let good = false;
  try {
    good = verify(digest, signed, keyOf(key.publicKey), Buffer.from(a.signature, "base64url"));
  } catch (cause) {
    if (cause instanceof PasskeyError) throw cause;
    throw new PasskeyError("signature can't be read", { cause });
  }
  if (!good) throw new PasskeyError("signature is wrong");
  // §6.1.1: devices that count tell of a copy by going back; many never count.
  if (signCount !== 0 && signCount <= key.signCount) {
    throw new PasskeyError("device counts backwards: the key was copied");
  }
  return signCount;
}
