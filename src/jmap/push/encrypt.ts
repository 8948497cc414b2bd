/** Encryption of what goes through a push service (RFC 8291, RFC 8188). @module */

/** Keys of a client, as bytes. */
export interface ClientKeys {
  /** Point of P-256, uncompressed. */
  p256dh: Uint8Array;
  /** 16 bytes. */
  auth: Uint8Array;
}

const encoder = new TextEncoder();
type Bytes = Uint8Array<ArrayBuffer>;

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, data));
}

/** HKDF (RFC 5869) for up to 32 bytes. */
async function hkdf(salt: Bytes, secret: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await hmac(salt, secret);
  return (await hmac(key, concat(info, Uint8Array.of(1)))).slice(0, length);
}

function concat(...list: Uint8Array[]): Bytes {
  const all = new Uint8Array(list.reduce((n, b) => n + b.length, 0));
  let at = 0;
  for (const b of list) {
    all.set(b, at);
    at += b.length;
  }
  return all;
}

/** Reads the keys of a client in base64url; undefined for what are none. */
export async function readKeys(p256dh: string, auth: string): Promise<ClientKeys | undefined> {
  try {
    const plain = (s: string) =>
      Uint8Array.fromBase64(s.replaceAll("+", "-").replaceAll("/", "_"), { alphabet: "base64url" });
    const keys = { p256dh: plain(p256dh), auth: plain(auth) };
    if (keys.p256dh.length !== 65 || keys.p256dh[0] !== 4 || keys.auth.length !== 16) {
      return undefined;
    }
    await importPoint(keys.p256dh);
    return keys;
  } catch {
    return undefined;
  }
}

function importPoint(point: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "raw",
    point.slice(),
    { name: "ECDH", namedCurve: "P-256" },
    true,
    [],
  );
}

/** The body with Content-Encoding aes128gcm: one record. */
export async function encryptPush(keys: ClientKeys, text: string): Promise<Uint8Array> {
  const pair = await crypto.subtle.generateKey(
    { name: "ECDH", namedCurve: "P-256" },
    true,
    ["deriveBits"],
  ) as CryptoKeyPair;
  const own = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const secret = new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "ECDH", public: await importPoint(keys.p256dh) },
      pair.privateKey,
      256,
    ),
  );
  // RFC 8291 §3.4.
  const info = concat(encoder.encode("WebPush: info\0"), keys.p256dh, own);
  const material = await hkdf(keys.auth.slice(), secret, info, 32);
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = await hkdf(salt, material, encoder.encode("Content-Encoding: aes128gcm\0"), 16);
  const nonce = await hkdf(salt, material, encoder.encode("Content-Encoding: nonce\0"), 12);
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  // RFC 8188 §2: 2 ends the last record.
  const record = concat(encoder.encode(text), Uint8Array.of(2));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, aes, record),
  );
  const head = new Uint8Array(21);
  head.set(salt);
  new DataView(head.buffer).setUint32(16, 4096);
  head[20] = own.length;
  return concat(head, own, sealed);
}
