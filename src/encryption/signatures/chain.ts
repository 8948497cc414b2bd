/**
 * Whether an authority vouches for a certificate, through intermediate ones (RFC 5280 §6, as far as mail needs
 * it). @module
 */
import { X509Certificate } from "node:crypto";
import { certificateFields } from "./certificate.ts";

/** Certificates from the signer's to an authority's. */
const maxChain = 8;
/** Signatures of certificates that are checked for all signers of a message: each takes a millisecond. */
const maxChecks = 40;

/** Authorities by subject name, read once for each list. */
const read = new WeakMap<readonly string[], Map<string, X509Certificate[]>>();

function byName(trusted: readonly string[]): Map<string, X509Certificate[]> {
  let found = read.get(trusted);
  if (!found) {
    found = Map.groupBy(
      trusted.flatMap((pem) => parsed(pem) ?? []),
      (c) => c.subject,
    );
    read.set(trusted, found);
  }
  return found;
}

function parsed(certificate: string | Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

const isGood = (c: X509Certificate, at: number) =>
  Date.parse(c.validFrom) <= at && at <= Date.parse(c.validTo);

/** The certificates that came along with a message, and how many more of their signatures may be checked. */
export class Chains {
  readonly #others: readonly Uint8Array[];
  #parsed: X509Certificate[] | undefined;
  #checks = 0;

  constructor(others: readonly Uint8Array[]) {
    this.#others = others;
  }

  get between(): readonly X509Certificate[] {
    return this.#parsed ??= this.#others.flatMap((o) => parsed(o) ?? []);
  }

  /** False once no more may be checked. */
  mayCheck(): boolean {
    return ++this.#checks <= maxChecks;
  }
}

/**
 * True if a certificate for mail leads to an authority.
 * @param chains of the message, for the intermediate ones
 * @param trusted PEM of the authorities
 * @param at when it must be valid, milliseconds since the epoch
 */
export function isTrusted(
  der: Uint8Array,
  chains: Chains,
  trusted: readonly string[],
  at: number,
): boolean {
  if (!certificateFields(der)?.signsMail) return false;
  const authorities = byName(trusted);
  const { between } = chains;
  const leads = (certificate: X509Certificate, length: number): boolean => {
    if (length > maxChain || !isGood(certificate, at)) return false;
    const signedBy = (issuer: X509Certificate) =>
      issuer.ca && issuer.subject === certificate.issuer && chains.mayCheck() &&
      verified(certificate, issuer);
    const roots = authorities.get(certificate.issuer) ?? [];
    if (roots.some((r) => isGood(r, at) && signedBy(r))) return true;
    return between.some((b) =>
      b.fingerprint256 !== certificate.fingerprint256 && signedBy(b) && leads(b, length + 1)
    );
  };
  const first = parsed(der);
  return first !== undefined && leads(first, 1);
}

function verified(c: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return c.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
