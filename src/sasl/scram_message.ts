/**
 * Messages of SCRAM (RFC 5802 §7), parsed and written.
 *
 * @module
 */
import { SaslError } from "./types.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Most bytes of a message; names and nonces are far shorter. */
const maxLength = 4096;

/** The text of a message. */
export function scramText(bytes: Uint8Array): string {
  if (bytes.length > maxLength) throw new SaslError("malformed", "scram message too long");
  try {
    const text = decoder.decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Reported below.
  }
  throw new SaslError("malformed", "scram message is not UTF-8 text");
}

/** Attributes of a message in their order, each as its letter and value. */
export function attributes(text: string): [string, string][] {
  return text.split(",").map((part) => {
    if (part.length < 2 || part[1] !== "=" || !/^[A-Za-z]$/.test(part[0])) {
      throw new SaslError("malformed", "scram attribute expected");
    }
    return [part[0], part.slice(2)];
  });
}

/** The client's first message. */
export interface ClientFirst {
  /** Up to and including the second comma. */
  gs2Header: string;
  /** "n": the client can't bind, "y": it could but thinks the server can't, otherwise the binding's name. */
  binding: { kind: "n" | "y" } | { kind: "p"; name: string };
  authorizationId: string;
  /** The message without its gs2 header. */
  bare: string;
  username: string;
  nonce: string;
}

/** Parses a client-first-message. */
export function parseClientFirst(bytes: Uint8Array): ClientFirst {
  const text = scramText(bytes);
  const comma = text.indexOf(",");
  const second = text.indexOf(",", comma + 1);
  if (comma < 0 || second < 0) throw new SaslError("malformed", "scram gs2 header expected");
  const flag = text.slice(0, comma);
  let binding: ClientFirst["binding"];
  if (flag === "n" || flag === "y") binding = { kind: flag };
  else if (/^p=[A-Za-z0-9.-]+$/.test(flag)) binding = { kind: "p", name: flag.slice(2) };
  else throw new SaslError("malformed", "scram channel binding flag expected");
  const authzid = text.slice(comma + 1, second);
  if (authzid !== "" && !authzid.startsWith("a=")) {
    throw new SaslError("malformed", "scram authorization id expected");
  }
  const bare = text.slice(second + 1);
  const list = attributes(bare);
  // RFC 5802 §5.1: "m" is for extensions that must be understood.
  if (list[0][0] === "m") throw new SaslError("malformed", "scram extension not known");
  if (list[0][0] !== "n" || list[1]?.[0] !== "r") {
    throw new SaslError("malformed", "scram user name and nonce expected");
  }
  return {
    gs2Header: text.slice(0, second + 1),
    binding,
    authorizationId: unescapeName(authzid.slice(2)),
    bare,
    username: unescapeName(list[0][1]),
    nonce: checkNonce(list[1][1]),
  };
}

/** The client's final message. */
export interface ClientFinal {
  channelBinding: Uint8Array;
  nonce: string;
  proof: Uint8Array;
  withoutProof: string;
}

/** Parses a client-final-message. */
export function parseClientFinal(bytes: Uint8Array): ClientFinal {
  const text = scramText(bytes);
  const list = attributes(text);
  const last = list[list.length - 1];
  if (list[0][0] !== "c" || list[1]?.[0] !== "r" || list.length < 3 || last[0] !== "p") {
    throw new SaslError("malformed", "scram channel binding, nonce and proof expected");
  }
  return {
    channelBinding: base64Value(list[0][1]),
    nonce: list[1][1],
    proof: base64Value(last[1]),
    withoutProof: text.slice(0, text.lastIndexOf(",")),
  };
}

/** RFC 5802 §5.1: printable ASCII without comma. */
function checkNonce(nonce: string): string {
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce)) {
    throw new SaslError("malformed", "scram nonce expected");
  }
  return nonce;
}

/** The server's first message, as a client reads it. */
export function parseServerFirst(
  bytes: Uint8Array,
): { text: string; nonce: string; salt: Uint8Array; iterations: number } {
  const text = scramText(bytes);
  const list = attributes(text);
  if (list[0][0] !== "r" || list[1]?.[0] !== "s" || list[2]?.[0] !== "i") {
    throw new SaslError("malformed", "scram nonce, salt and iterations expected");
  }
  const iterations = Number(list[2][1]);
  // A server could keep this client busy with a huge iteration count.
  if (!/^[1-9][0-9]{0,7}$/.test(list[2][1]) || iterations < 4096 || iterations > 10_000_000) {
    throw new SaslError("malformed", "scram iteration count out of range");
  }
  return { text, nonce: checkNonce(list[0][1]), salt: base64Value(list[1][1]), iterations };
}

/** Bytes of a base64 value. */
export function base64Value(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch (e) {
    throw new SaslError("malformed", "scram base64 expected", { cause: e });
  }
}

/** RFC 5802 §5.1: a saslname, in which "," and "=" are written =2C and =3D. */
export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

function unescapeName(text: string): string {
  const parts = text.split("=");
  let out = parts[0];
  for (const part of parts.slice(1)) {
    if (part.startsWith("2C")) out += "," + part.slice(2);
    else if (part.startsWith("3D")) out += "=" + part.slice(2);
    else throw new SaslError("malformed", "scram name with an escape that doesn't exist");
  }
  return out;
}
