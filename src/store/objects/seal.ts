/**
 * Objects that nobody else can read or change: compressed, then AES-256-GCM with a key derived from the
 * administrator's for each generation. The name of an object is authenticated with it, so that one can't
 * replace another.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";

const magic = new TextEncoder().encode("MOXOBJ1\n");
const nonceSize = 12;
const tagSize = 16;
/** Most bytes of an object's content. */
const maxContent = 96 * 1024 * 1024;

/** An object that was changed or sealed with another key. */
export class SealError extends Error {
  override name = "SealError";
}

/**
 * The administrator's key from its text: 32 bytes in base64 or hexadecimal, as `openssl rand -base64 32` makes them.
 * @throws Error for anything else
 */
export function masterKey(text: string): Uint8Array {
  const t = text.trim();
  let key: Uint8Array | undefined;
  try {
    key = /^[0-9a-fA-F]{64}$/.test(t) ? Uint8Array.fromHex(t) : Uint8Array.fromBase64(t);
  } catch {
    // Reported below.
  }
  if (key?.length !== 32) {
    throw new Error("32 bytes in base64 are expected (openssl rand -base64 32)");
  }
  return key;
}

/** The key of a generation's objects. */
export function generationKey(master: Uint8Array, generation: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", master, generation, "mox objects 1", 32));
}

export function sealObject(key: Uint8Array, name: string, content: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceSize);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagSize });
  cipher.setAAD(new TextEncoder().encode(name));
  const packed = deflateRawSync(content, { level: 1 });
  return Uint8Array.from(
    Buffer.concat([magic, nonce, cipher.update(packed), cipher.final(), cipher.getAuthTag()]),
  );
}

/** @throws SealError */
export function openObject(key: Uint8Array, name: string, object: Uint8Array): Uint8Array {
  const head = magic.length + nonceSize;
  if (object.length < head + tagSize || magic.some((b, i) => object[i] !== b)) {
    throw new SealError(`${name} is no object of a backup`);
  }
  try {
    const nonce = object.subarray(magic.length, head);
    const d = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagSize });
    d.setAAD(new TextEncoder().encode(name));
    d.setAuthTag(object.subarray(object.length - tagSize));
    const packed = Buffer.concat([d.update(object.subarray(head, -tagSize)), d.final()]);
    return Uint8Array.from(inflateRawSync(packed, { maxOutputLength: maxContent }));
  } catch (err) {
    throw new SealError(`${name} was changed, or the key is another one`, { cause: err });
  }
}
