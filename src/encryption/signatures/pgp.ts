/** Checking OpenPGP signatures (RFC 9580, RFC 3156). @module */
import type { Key } from "openpgp";
import { isUsualKey } from "../key_sizes.ts";
import { openpgpLibrary } from "../openpgp.ts";
import { type CheckedSignature, unknownSignature } from "./types.ts";

/** Keys that are tried. */
const maxKeys = 20;

/** What is checked. */
export interface PgpSignature {
  /** In armor. */
  signature: string;
  /** Bytes that are signed, with CRLF. */
  content: Uint8Array;
  /** Address in From, in lower case. */
  from: string;
  /** Keys that the account has in its contacts: in armor or binary. */
  known: readonly (string | Uint8Array)[];
  /** Keys that came with the message: anybody could have put them there. */
  brought: readonly (string | Uint8Array)[];
}

/** Checks a signature. Never throws: a signature that can't be read is "unknown". */
export async function checkPgp(s: PgpSignature): Promise<CheckedSignature> {
  const { createMessage, readSignature, verify } = await openpgpLibrary();
  try {
    const signature = await readSignature({ armoredSignature: s.signature });
    const ids = new Set(signature.getSigningKeyIDs().map((id) => id.toHex()));
    for (const [texts, vouched] of [[s.known, true], [s.brought, false]] as const) {
      for (const key of (await readable(texts)).filter((k) => signs(k, ids) && isUsualKey(k))) {
        const message = await createMessage({ binary: s.content });
        const { signatures } = await verify({
          message,
          signature,
          verificationKeys: [key],
          format: "binary",
          // Keys that have expired since are valid for what was signed before.
          date: null,
        });
        const results = await Promise.allSettled(signatures.map((x) => x.verified));
        const users = key.getUserIDs();
        const about = { signer: users[0] ?? "", fingerprint: key.getFingerprint().toUpperCase() };
        if (!results.some((r) => r.status === "fulfilled")) return { ...about, state: "bad" };
        if (!users.some((u) => addressOf(u) === s.from)) return { ...about, state: "other" };
        return { ...about, state: vouched ? "good" : "held" };
      }
    }
    const [first] = ids;
    return { state: "noKey", signer: "", fingerprint: (first ?? "").toUpperCase() };
  } catch {
    return unknownSignature;
  }
}

/** The keys in those texts that can be read. */
async function readable(texts: readonly (string | Uint8Array)[]): Promise<Key[]> {
  const { readKeys } = await openpgpLibrary();
  const keys: Key[] = [];
  for (const t of texts.slice(0, maxKeys)) {
    try {
      keys.push(
        ...typeof t === "string"
          ? await readKeys({ armoredKeys: t })
          : await readKeys({ binaryKeys: t }),
      );
    } catch {
      // A damaged one doesn't affect the others.
    }
  }
  return keys.slice(0, maxKeys);
}

const signs = (key: Key, ids: ReadonlySet<string>) =>
  key.getKeys().some((k) => ids.has(k.getKeyID().toHex()));

/** The address in "Name <address>", in lower case. */
function addressOf(user: string): string {
  const m = /<([^<>]*)>\s*$/.exec(user.slice(0, 1000));
  return (m ? m[1] : user).trim().toLowerCase();
}
