/** The S/MIME signature of a whole message: where it is, whose it must be, and whether it is valid. @module */
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { type HeaderField, splitHeader } from "../../mail/header/header.ts";
import { decodeBody } from "../../mail/structure/contents.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { checkSmime } from "./smime.ts";
import { type CheckedSignature, unknownSignature } from "./types.ts";

/** Bytes of what is signed: more takes too long for one turn of the event loop. */
export const maxSigned = 8 * 1024 * 1024;
/** Bytes of a signature with its certificates. */
export const maxSignature = 1024 * 1024;
/** Bytes of a header in which From is looked for. */
const maxHeader = 256 * 1024;
/** Bytes that are read at a time. */
const pieceSize = 96 * 1024;

/** A message as its structure and its bytes. */
export interface SignedMessage {
  root: Part;
  read(from: number, to: number): Uint8Array;
}

/** The parts of a signature. */
export interface SmimeParts {
  /** What is signed; undefined if the signature contains it. */
  content: Part | undefined;
  signature: Part;
}

/**
 * Where a message has its S/MIME signature (RFC 8551 §3.5); undefined for one without. An encrypted message may
 * be signed inside, which only its reader can find out.
 */
export function smimeParts(root: Part): SmimeParts | undefined {
  if (root.type === "multipart" && root.subtype === "signed" && root.parts.length === 2) {
    const [content, signature] = root.parts;
    const isSmime = /\bpkcs7-signature$/.test(signature.subtype) ||
      /\bpkcs7-signature$/i.test(root.params.protocol ?? "");
    return isSmime ? { content, signature } : undefined;
  }
  const within = root.type === "application" && /^(?:x-)?pkcs7-mime$/.test(root.subtype) &&
    root.params["smime-type"]?.toLowerCase() === "signed-data";
  return within ? { content: undefined, signature: root } : undefined;
}

/** The one address in From, in lower case; undefined for none or several. */
export function senderOf(fields: readonly HeaderField[]): string | undefined {
  const addresses = fields.filter((f) => f.name === "from")
    .flatMap((f) => flattenAddresses(parseAddressList(f.value)));
  if (addresses.length !== 1) return undefined;
  return `${addresses[0].localpart}@${addresses[0].domain}`.toLowerCase();
}

function* pieces(message: SignedMessage, part: Part): Generator<Uint8Array> {
  for (let at = part.headerOffset; at < part.endOffset; at += pieceSize) {
    yield message.read(at, Math.min(part.endOffset, at + pieceSize));
  }
}

/**
 * Checks the signature of a message; "tooLarge" for one that isn't checked.
 * @param trusted PEM of authorities
 * @param at when the certificate must be valid, milliseconds since the epoch
 */
export function checkSmimeMessage(
  message: SignedMessage,
  { content, signature }: SmimeParts,
  trusted: readonly string[],
  at: number,
): CheckedSignature | "tooLarge" {
  const { root } = message;
  const size = signature.endOffset - signature.bodyOffset;
  if (size > (content ? maxSignature : 2 * maxSigned)) return "tooLarge";
  if (content && content.endOffset - content.headerOffset > maxSigned) return "tooLarge";
  const header = message.read(
    root.headerOffset,
    Math.min(root.bodyOffset, root.headerOffset + maxHeader),
  );
  const from = senderOf(splitHeader(header));
  // With two senders, or none, there is nobody whose signature it could be.
  if (from === undefined) return unknownSignature;
  return checkSmime({
    cms: decodeBody(signature, message.read(signature.bodyOffset, signature.endOffset)),
    content: content && (() => pieces(message, content)),
    from,
    trusted,
    now: at,
  });
}
