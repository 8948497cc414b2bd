/** Keys for encrypting incoming mail: their properties, and which can be used. @module */
import { X509Certificate } from "node:crypto";
import type { Key } from "openpgp";
import { isUsualKey } from "./key_sizes.ts";
import { openpgpLibrary } from "./openpgp.ts";
import { curveOf, knownCurves } from "./recipients.ts";
import { certificateFields } from "./signatures/certificate.ts";

/** Characters of a key's text. */
const maxText = 256 * 1024;

/** A key that can't be used, with a message for its owner. */
export class KeyError extends Error {
  override name = "KeyError";
}

/** A usable key. */
export type EncryptionKey =
  | { kind: "pgp"; key: Key; info: KeyInfo }
  | { kind: "smime"; certificate: X509Certificate; info: KeyInfo };

/** The identifier by which people know a key. */
export interface KeyInfo {
  kind: "pgp" | "smime";
  /** The owner, as claimed by the key. */
  name: string;
  fingerprint: string;
  /** Expiry in milliseconds since the epoch; undefined if it never expires. */
  expires: number | undefined;
}

/**
 * Reads a key: an OpenPGP public key in armor, or an X.509 certificate with an RSA or EC key in PEM.
 * @param at when it must be valid, milliseconds since the epoch
 * @throws KeyError for invalid keys, secret keys, and keys not usable for encryption
 */
export async function readEncryptionKey(text: string, at: number): Promise<EncryptionKey> {
  if (text.length > maxText) throw new KeyError("the key is too large");
  if (/-----BEGIN (?:PGP PRIVATE KEY BLOCK|(?:\w+ )*PRIVATE KEY)-----/.test(text)) {
    throw new KeyError("this is a secret key: give its public key, and nobody the secret one");
  }
  if (text.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) return await pgpKey(text, at);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return certificate(text, at);
  throw new KeyError(
    "this is neither an OpenPGP public key in armor nor an X.509 certificate in PEM",
  );
}

async function pgpKey(text: string, at: number): Promise<EncryptionKey> {
  const { readKeys } = await openpgpLibrary();
  let keys: Key[];
  try {
    keys = await readKeys({ armoredKeys: text });
  } catch (cause) {
    throw new KeyError(`the OpenPGP key can't be read: ${(cause as Error).message}`, { cause });
  }
  if (keys.length !== 1) throw new KeyError(`there are ${keys.length} keys: give one`);
  const [key] = keys;
  if (!isUsualKey(key)) {
    throw new KeyError(
      "the OpenPGP key is larger than those that can be used, or an old one (DSA)",
    );
  }
  try {
    await key.getEncryptionKey(undefined, new Date(at));
  } catch (cause) {
    throw new KeyError(`nothing can be encrypted to this key: ${(cause as Error).message}`, {
      cause,
    });
  }
  const until = await key.getExpirationTime();
  const ids = key.getUserIDs();
  return {
    kind: "pgp",
    key,
    info: {
      kind: "pgp",
      name: ids[0] ?? "",
      fingerprint: key.getFingerprint().toUpperCase(),
      expires: until instanceof Date ? until.getTime() : undefined,
    },
  };
}

/** @throws KeyError for a certificate not usable for encryption */
function checkKind(found: X509Certificate): void {
  const kind = found.publicKey.asymmetricKeyType;
  const curve = curveOf(found.publicKey);
  if (kind === "rsa") return;
  if (kind !== "ec" || curve === undefined) {
    throw new KeyError(
      `the certificate's key is ${kind}: only RSA and EC (P-256, P-384, P-521) can be encrypted to here`,
    );
  }
  if (!knownCurves.includes(curve)) {
    throw new KeyError(
      `the certificate's key is on the curve ${curve}: only P-256, P-384 and P-521 can be encrypted to here`,
    );
  }
  // RFC 5753 §3.1 needs keyAgreement; many certificates with EC keys are for signing only.
  if (!certificateFields(new Uint8Array(found.raw))?.agreesKeys) {
    throw new KeyError(
      "the certificate's key may not be used for agreeing on keys (keyAgreement of its key usage): it is for signing",
    );
  }
}

function certificate(text: string, at: number): EncryptionKey {
  let found: X509Certificate;
  try {
    found = new X509Certificate(text);
  } catch (cause) {
    throw new KeyError("the certificate can't be read", { cause });
  }
  checkKind(found);
  const [from, to] = [found.validFrom, found.validTo].map((d) => Date.parse(d));
  if (to < at) throw new KeyError(`the certificate has ended at ${found.validTo}`);
  if (from > at + 86_400_000) throw new KeyError(`the certificate begins at ${found.validFrom}`);
  return {
    kind: "smime",
    certificate: found,
    info: {
      kind: "smime",
      name: found.subject.replaceAll("\n", ", "),
      fingerprint: found.fingerprint256.replaceAll(":", ""),
      expires: to,
    },
  };
}
