/** Encryption of push messages for a browser (RFC 8291, RFC 8188). @module */
import { joined } from "../../platform/bytes.ts";

/** The keys in a browser's subscription. */
export interface PushKeys {
  /** Its public key, a point of P-256, uncompressed: 65 bytes. */
  p256dh: Uint8Array;
  /** 16 bytes. */
  auth: Uint8Array;
}

/**
 * Most bytes of a message that every push service accepts once encrypted (RFC 8030 §7.2), minus the overhead.
 */
export const maxPushText = 3_900;

const recordSize = 4096;
const curve = { name: "ECDH", namedCurve: "P-256" };

type Bytes = Uint8Array<ArrayBuffer>;

async function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const k = await crypto.subtle.importKey(
    "raw",
    joined([key]),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, joined(parts)));
}

const ascii = (text: string) => new TextEncoder().encode(text);
const one = Uint8Array.of(1);

/** Parses the base64url keys of a subscription; undefined if invalid. */
export function readKeys(p256dh: string, auth: string): PushKeys | undefined {
  try {
    const plain = (s: string) =>
      Uint8Array.fromBase64(s.replaceAll("+", "-").replaceAll("/", "_"), { alphabet: "base64url" });
    const keys = { p256dh: plain(p256dh), auth: plain(auth) };
    if (keys.p256dh.length !== 65 || keys.p256dh[0] !== 4 || keys.auth.length !== 16) {
      return undefined;
    }
    return isOnCurve(keys.p256dh) ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** Parameters of P-256 (SEC 2 §2.4.2): the prime of its field, and b of y² = x³ - 3x + b. */
const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Whether an uncompressed point is on P-256; the runtime's key import doesn't check. */
function isOnCurve(point: Uint8Array): boolean {
  const x = BigInt(`0x${point.subarray(1, 33).toHex()}`);
  const y = BigInt(`0x${point.subarray(33).toHex()}`);
  return x < prime && y < prime && (y * y - (x * x * x - 3n * x + b)) % prime === 0n;
}

const importPoint = (point: Uint8Array) =>
  crypto.subtle.importKey("raw", joined([point]), curve, false, []);

/** For tests with given values; otherwise both are generated for each message. */
export interface PushSecrets {
  salt: Uint8Array;
  own: CryptoKeyPair;
}

async function newSecrets(): Promise<PushSecrets> {
  return {
    salt: crypto.getRandomValues(new Uint8Array(16)),
    own: await crypto.subtle.generateKey(curve, true, ["deriveBits"]),
  };
}

/**
 * The body of a push message, with "Content-Encoding: aes128gcm".
 * @throws RangeError for a text that is too long, DOMException for invalid keys
 */
export async function encryptPush(
  text: Uint8Array,
  { p256dh, auth }: PushKeys,
  secrets?: PushSecrets,
): Promise<Uint8Array<ArrayBuffer>> {
  if (text.length > maxPushText) throw new RangeError("the push message is too long");
  const { salt, own } = secrets ?? await newSecrets();
  const theirs = await importPoint(p256dh);
  const ownPublic = new Uint8Array(await crypto.subtle.exportKey("raw", own.publicKey));
  const shared = await crypto.subtle.deriveBits(
    { name: "ECDH", public: theirs },
    own.privateKey,
    256,
  );
  // RFC 8291 §3.3, §3.4.
  const prkKey = await hmac(auth, new Uint8Array(shared));
  const ikm = await hmac(prkKey, ascii("WebPush: info\0"), p256dh, ownPublic, one);
  const prk = await hmac(salt, ikm);
  const key = await hmac(prk, ascii("Content-Encoding: aes128gcm\0"), one);
  const nonce = await hmac(prk, ascii("Content-Encoding: nonce\0"), one);
  const aes = await crypto.subtle.importKey("raw", key.subarray(0, 16), "AES-GCM", false, [
    "encrypt",
  ]);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce.subarray(0, 12) },
    aes,
    // RFC 8188 §2: 2 ends the last record.
    joined([text, Uint8Array.of(2)]),
  );
  // RFC 8188 §2.1: salt, size of records, our key as its id.
  const head = new Uint8Array(21);
  head.set(salt);
  new DataView(head.buffer).setUint32(16, recordSize);
  head[20] = ownPublic.length;
  return joined([head, ownPublic, new Uint8Array(sealed)]);
}
