/**
 * Verifying passkeys (W3C Web Authentication §7): that a device has the private key, that it asked its user who they
 * are, and that it was for this page and this login. Who made the device (the attestation's signature) is not looked at.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createHash,
  createHmac,
  createPublicKey,
  randomBytes,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { coseKey } from "./cose.ts";

/** Milliseconds for which a challenge can be answered. */
const lifetime = 5 * 60_000;
/** Unexpired challenges that were answered correctly, and must not be accepted again. */
const maxSpent = 100_000;
/** ES256, EdDSA and RS256. */
export const passkeyAlgorithms = [-7, -8, -257];

/** An answer that can't be accepted; the text says why, for the log. */
export class PasskeyError extends Error {
  override name = "PasskeyError";
}

/**
 * Challenges, each valid for one correct answer. They carry their expiry and a MAC, so that nothing is stored for those
 * that nobody answers: however many a stranger requests, those of others stay valid.
 */
export class Challenges {
  readonly #key = randomBytes(32);
  /** Those that were answered correctly, with their expiry. */
  readonly #spent = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  #mac(body: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#key).update(body).digest().subarray(0, 16);
  }

  /** A new one, base64url. */
  make(): string {
    const body = randomBytes(24);
    body.writeUIntBE(this.#now() + lifetime, 0, 6);
    return Buffer.concat([body, this.#mac(body)]).toString("base64url");
  }

  #end(challenge: string): number | undefined {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== 40 || bytes.toString("base64url") !== challenge) return undefined;
    const body = bytes.subarray(0, 24);
    if (!timingSafeEqual(this.#mac(body), bytes.subarray(24))) return undefined;
    return body.readUIntBE(0, 6);
  }

  /** True for each that was issued, has not expired and was not yet answered correctly. */
  open(challenge: string): boolean {
    const end = this.#end(challenge);
    return end !== undefined && end > this.#now() && !this.#spent.has(challenge);
  }

  /** Records a correct answer. */
  spend(challenge: string): void {
    const end = this.#end(challenge);
    if (end === undefined) return;
    this.#spent.set(challenge, end);
    for (const [c, until] of this.#spent) {
      if (until > this.#now() && this.#spent.size <= maxSpent) break;
      this.#spent.delete(c);
    }
  }
}

/** A browser's answer, all base64url. */
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
  /** Only the host: the relying party. */
  hostname: string;
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "base64url"));
const sha256 = (b: Uint8Array | string) => createHash("sha256").update(b).digest();

interface AuthenticatorData {
  bytes: Uint8Array;
  flags: number;
  signCount: number;
  challenge: string;
}

/** Checks the parts common to a login and a new passkey (§7.1, §7.2). @throws PasskeyError */
function checked(
  answer: PasskeyAnswer,
  type: "webauthn.create" | "webauthn.get",
  place: PasskeyPlace,
  challenges: Challenges,
): AuthenticatorData {
  let client: {
    type?: unknown;
    challenge?: unknown;
    origin?: unknown;
    crossOrigin?: unknown;
    topOrigin?: unknown;
  };
  try {
    client = JSON.parse(Buffer.from(answer.clientData, "base64url").toString());
  } catch (cause) {
    throw new PasskeyError("client data is not JSON", { cause });
  }
  if (client === null || typeof client !== "object") {
    throw new PasskeyError("client data is no object");
  }
  if (client.type !== type) throw new PasskeyError("answer is of another kind");
  if (typeof client.challenge !== "string" || !challenges.open(client.challenge)) {
    throw new PasskeyError("challenge is not known (any more)");
  }
  // Only the host: behind a reverse proxy the scheme may differ.
  if (URL.parse(String(client.origin))?.host !== place.host) {
    throw new PasskeyError("answer is for another site");
  }
  // The page is never shown in frames of other sites, so a request from one is not ours.
  if ((client.crossOrigin ?? false) !== false || client.topOrigin !== undefined) {
    throw new PasskeyError("answer was asked for in a frame of another site");
  }
  const bytes = bytesOf(answer.authenticatorData);
  if (bytes.length < 37) throw new PasskeyError("authenticator data is too short");
  if (!sha256(place.hostname).equals(bytes.subarray(0, 32))) {
    throw new PasskeyError("key is for another site");
  }
  const flags = bytes[32];
  // The user was there (bit 0), and was asked who they are (bit 2): a passkey stands for password and code.
  if ((flags & 1) === 0 || (flags & 4) === 0) throw new PasskeyError("user was not verified");
  return {
    bytes,
    flags,
    signCount: new DataView(bytes.buffer).getUint32(33),
    challenge: client.challenge,
  };
}

/** A new passkey, as reported by the browser. */
export interface NewPasskey extends PasskeyAnswer {
  /** SubjectPublicKeyInfo, DER, base64url. */
  publicKey: string;
  algorithm: number;
}

/** Checks a new passkey (§7.1). @throws PasskeyError */
export function checkNewPasskey(
  passkey: NewPasskey,
  place: PasskeyPlace,
  challenges: Challenges,
): { credentialId: Uint8Array; publicKey: Uint8Array; algorithm: number; signCount: number } {
  const { bytes, flags, signCount, challenge } = checked(
    passkey,
    "webauthn.create",
    place,
    challenges,
  );
  const credentialId = bytesOf(passkey.id);
  if ((flags & 0x40) === 0 || bytes.length < 55) throw new PasskeyError("there is no key in it");
  const length = (bytes[53] << 8) | bytes[54];
  if (!Buffer.from(credentialId).equals(bytes.subarray(55, 55 + length)) || length === 0) {
    throw new PasskeyError("key has another id");
  }
  if (!passkeyAlgorithms.includes(passkey.algorithm)) {
    throw new PasskeyError("algorithm is not known");
  }
  const publicKey = bytesOf(passkey.publicKey);
  const given = keyOf(publicKey);
  let attested;
  try {
    attested = coseKey(bytes.subarray(55 + length));
  } catch (cause) {
    throw new PasskeyError("the authenticator's key can't be read", { cause });
  }
  // The key reported by the page's script must be that of the authenticator.
  if (attested.algorithm !== passkey.algorithm || !attested.key.equals(given)) {
    throw new PasskeyError("the key is not the authenticator's");
  }
  challenges.spend(challenge);
  return { credentialId, publicKey, algorithm: passkey.algorithm, signCount };
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
  const { bytes, signCount, challenge } = checked(a, "webauthn.get", place, challenges);
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
  // §6.1.1: on devices with a counter, a counter that goes back reveals a copy; many never count.
  if (signCount !== 0 && signCount <= key.signCount) {
    throw new PasskeyError("device counts backwards: the key was copied");
  }
  challenges.spend(challenge);
  return signCount;
}
