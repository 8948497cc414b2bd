/** Messages and keys that several tests use. @module */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { bodyStart, bytesSource } from "../../src/senderauth/mod.ts";

/** A message written with LF, as bytes with CRLF. */
export function message(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll("\n", "\r\n")));
}

/** What signing and checking take of a message. */
export function parts(bytes: Uint8Array) {
  const bodyOffset = bodyStart(bytes);
  return { headerBytes: bytes.subarray(0, bodyOffset), message: bytesSource(bytes), bodyOffset };
}

/** The keys of RFC 8463 appendix A.2 (the RSA one is that of the ARC test suite, too). */
export const rsaPublic =
  "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi" +
  "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kr" +
  "yOTIKT+l/K4w3QIDAQAB";
export const ed25519Public = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

export const ed25519Private = createPrivateKey({
  key: Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "base64"),
  ]),
  format: "der",
  type: "pkcs8",
});

/** The TXT record for a private key. */
export function keyRecord(key: KeyObject): string {
  const der = createPublicKey(key as never).export({ format: "der", type: "spki" });
  const raw = key.asymmetricKeyType === "ed25519" ? der.subarray(-32) : der;
  return `v=DKIM1; k=${key.asymmetricKeyType}; p=${raw.toString("base64")}`;
}
