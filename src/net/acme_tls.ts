/**
 * The handshake in which an ACME authority sees a proof of control (tls-alpn-01, RFC 8737): TLS 1.3 (RFC 8446)
 * with a single certificate, up to the server's Finished. Nothing is ever sent after it.
 *
 * The runtime's TLS can't do this: it refuses to serve a certificate with the critical extension that the proof
 * must have. This supports only what every TLS 1.3 client must offer: AES-128-GCM with SHA-256, a key share of
 * X25519 or P-256, signatures with ECDSA on P-256.
 *
 * @module
 */
import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";
import type { Socket } from "node:net";
import { type ClientHello, readClientHello } from "./client_hello.ts";
import { fromPem } from "./der.ts";
import { ConnectionError, type KeyCert } from "./types.ts";
import { joined } from "../platform/bytes.ts";

/** The protocol requested by authorities (RFC 8737 §6.2). */
export const acmeProtocol = "acme-tls/1";

const x25519 = 0x001d;
const p256 = 0x0017;
const aes128GcmSha256 = 0x1301;
const ecdsaP256Sha256 = 0x0403;
/** Milliseconds after which the connection is cut off, if the authority doesn't close it. */
const linger = 5_000;

const encoder = new TextEncoder();

const concat = (...parts: Uint8Array[]) => joined(parts);

/** The bytes prefixed with their length, which takes `lengthBytes` bytes. */
function vector(lengthBytes: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const head = new Uint8Array(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) head[lengthBytes - 1 - i] = (body.length >>> (8 * i)) & 255;
  return concat(head, body);
}

const u16 = (n: number) => Uint8Array.of(n >> 8, n & 255);
const hash = (b: Uint8Array) => Uint8Array.from(createHash("sha256").update(b).digest());
const hmac = (key: Uint8Array, b: Uint8Array) =>
  Uint8Array.from(createHmac("sha256", key).update(b).digest());

/** RFC 8446 §7.1; one block of HKDF is enough here. */
function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number) {
  const info = concat(
    u16(length),
    vector(1, encoder.encode(`tls13 ${label}`)),
    vector(1, context),
    Uint8Array.of(1),
  );
  return hmac(secret, info).subarray(0, length);
}

const message = (type: number, ...body: Uint8Array[]) =>
  concat(Uint8Array.of(type), vector(3, ...body));
const extension = (type: number, ...body: Uint8Array[]) => concat(u16(type), vector(2, ...body));
const record = (type: number, body: Uint8Array) =>
  concat(Uint8Array.of(type, 3, 3), vector(2, body));

/** Our key share, and the resulting shared secret. */
function agree(hello: ClientHello): { group: number; share: Uint8Array; secret: Uint8Array } {
  const theirs = hello.keyShares.find((k) => k.group === x25519) ??
    hello.keyShares.find((k) => k.group === p256);
  if (!theirs) throw new ConnectionError("tls", "no key share of X25519 or P-256 is offered");
  if (theirs.group === p256) {
    const own = createECDH("prime256v1");
    const share = Uint8Array.from(own.generateKeys());
    return { group: p256, share, secret: Uint8Array.from(own.computeSecret(theirs.key)) };
  }
  // The DER of an X25519 key is a fixed prefix and the key.
  const head = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0);
  const publicKey = createPublicKey({
    key: concat(head, theirs.key) as Buffer,
    format: "der",
    type: "spki",
  });
  const own = generateKeyPairSync("x25519");
  const secret = Uint8Array.from(diffieHellman({ privateKey: own.privateKey, publicKey }));
  const share = Uint8Array.from(own.publicKey.export({ format: "der", type: "spki" }))
    .subarray(head.length);
  return { group: x25519, share, secret };
}

/**
 * The server's complete handshake.
 * @throws ConnectionError "tls" if the client doesn't offer what is supported here; errors of crypto for key
 * shares that are not points of their curve
 */
export function proofFlight(
  clientMessage: Uint8Array,
  hello: ClientHello,
  pair: KeyCert,
): Uint8Array {
  if (!hello.versions.includes(0x0304) || !hello.ciphers.includes(aes128GcmSha256)) {
    throw new ConnectionError("tls", "the client doesn't speak TLS 1.3 with AES-128-GCM");
  }
  if (!hello.signatures.includes(ecdsaP256Sha256)) {
    throw new ConnectionError("tls", "the client doesn't take signatures with ECDSA on P-256");
  }
  const certificate = fromPem(pair.cert, "CERTIFICATE");
  if (!certificate) throw new ConnectionError("tls", "the proof has no certificate");
  const { group, share, secret } = agree(hello);

  const serverHello = message(
    2,
    u16(0x0303),
    Uint8Array.from(randomBytes(32)),
    vector(1, hello.sessionId),
    u16(aes128GcmSha256),
    Uint8Array.of(0),
    vector(2, extension(43, u16(0x0304)), extension(51, u16(group), vector(2, share))),
  );
  const zeros = new Uint8Array(32);
  const derived = expandLabel(hmac(zeros, zeros), "derived", hash(new Uint8Array(0)), 32);
  const handshakeSecret = hmac(derived, secret);
  let transcript = concat(clientMessage, serverHello);
  const traffic = expandLabel(handshakeSecret, "s hs traffic", hash(transcript), 32);

  const encrypted: Uint8Array[] = [];
  const add = (bytes: Uint8Array) => {
    encrypted.push(bytes);
    transcript = concat(transcript, bytes);
  };
  const alpn = vector(2, vector(1, encoder.encode(acmeProtocol)));
  add(message(8, vector(2, extension(16, alpn))));
  add(message(11, vector(1), vector(3, vector(3, certificate), vector(2))));
  const signed = concat(
    new Uint8Array(64).fill(0x20),
    encoder.encode("TLS 1.3, server CertificateVerify"),
    Uint8Array.of(0),
    hash(transcript),
  );
  const signature = Uint8Array.from(sign("sha256", signed, createPrivateKey(pair.key)));
  add(message(15, u16(ecdsaP256Sha256), vector(2, signature)));
  const finishedKey = expandLabel(traffic, "finished", new Uint8Array(0), 32);
  add(message(20, hmac(finishedKey, hash(transcript))));

  // One record; its nonce is the bare IV, as the sequence number is 0.
  const plain = concat(...encrypted, Uint8Array.of(22));
  const header = concat(Uint8Array.of(23, 3, 3), u16(plain.length + 16));
  const none = new Uint8Array(0);
  const cipher = createCipheriv(
    "aes-128-gcm",
    expandLabel(traffic, "key", none, 16),
    expandLabel(traffic, "iv", none, 12),
  );
  cipher.setAAD(header);
  const body = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  // ChangeCipherSpec is for middleboxes (RFC 8446 §D.4).
  return concat(record(22, serverHello), record(20, Uint8Array.of(1)), header, body);
}

/** The client's first message, read from its socket. */
export interface Peeked {
  hello: ClientHello;
  /** The handshake message, without records. */
  message: Uint8Array;
}

/** Reads a ClientHello and puts it back for the handshake. Undefined if the client sends something else. */
export async function peekHello(raw: Socket, timeout: number): Promise<Peeked | undefined> {
  const { promise, resolve } = Promise.withResolvers<Peeked | undefined>();
  let bytes: Uint8Array = new Uint8Array(0);
  const onData = (chunk: Uint8Array) => {
    bytes = concat(bytes, chunk);
    const read = readClientHello(bytes);
    if (read !== "more") resolve(read);
  };
  const onEnd = () => resolve(undefined);
  const timer = setTimeout(onEnd, timeout);
  raw.on("data", onData);
  for (const event of ["end", "close", "error"]) raw.on(event, onEnd);
  raw.resume();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    raw.pause();
    raw.off("data", onData);
    for (const event of ["end", "close", "error"]) raw.off(event, onEnd);
    if (bytes.length > 0) raw.unshift(bytes);
  }
}

/** Shows the proof to a client that asked for it. Resolves when the connection has ended. */
export async function showProof(raw: Socket, peeked: Peeked, pair: KeyCert): Promise<void> {
  const closed = new Promise<void>((resolve) => raw.on("close", () => resolve()));
  raw.on("error", () => {});
  const timer = setTimeout(() => raw.destroy(), linger);
  try {
    const flight = proofFlight(peeked.message, peeked.hello, pair);
    // What the client sends after that ends its handshake, and can be ignored.
    raw.on("data", () => {});
    raw.on("end", () => raw.end());
    raw.resume();
    raw.write(flight);
    await closed;
  } finally {
    clearTimeout(timer);
    raw.destroy();
  }
}
