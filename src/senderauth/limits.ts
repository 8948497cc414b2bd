/**
 * Limits on the work that one message can cause. A message beyond them gets a defined result, never more work;
 * the tests count lookups and measure time against them.
 *
 * @module
 */

/**
 * RFC 7208 §4.6.4: terms of an SPF record, including those in includes and redirects, that need DNS lookups.
 */
export const SPF_MAX_TERMS = 10;
/** RFC 7208 §4.6.4: lookups that may find nothing. */
export const SPF_MAX_VOID_LOOKUPS = 2;
/** RFC 7208 §4.6.4: hosts of one "mx", and names of one "ptr", that are checked. */
export const SPF_MAX_NAMES = 10;
/** Characters of an SPF record, and of an explanation that is passed on. */
export const SPF_MAX_RECORD = 16_384;
export const SPF_MAX_EXPLANATION = 500;

/** DKIM signatures that are evaluated, from the top; further ones are only counted. */
export const DKIM_MAX_SIGNATURES = 10;
/** Bytes of one DKIM-Signature or ARC header field, and characters of a key record. */
export const DKIM_MAX_SIGNATURE_FIELD = 16_384;
export const DKIM_MAX_KEY_RECORD = 8_192;
/**
 * RFC 8301 §3.2: shorter RSA keys don't count. Longer ones than the maximum cost time and are not used in
 * practice.
 */
export const RSA_MIN_BITS = 1024;
export const RSA_MAX_BITS = 4096;

/** RFC 8617 §4.2.1. */
export const ARC_MAX_SETS = 50;
/** Most bytes of all ARC header fields together: each seal signs all earlier ones. */
export const ARC_MAX_BYTES = 262_144;

/** Most header fields and header bytes that are read; a message with more has no valid signature. */
export const MAX_HEADER_FIELDS = 10_000;
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

/** Most reverse names that iprev looks up. */
export const IPREV_MAX_NAMES = 5;

/** Lookups by check. Their sum bounds the lookups that one message causes. */
export const LOOKUP_LIMITS = {
  // 1 record, 10 terms, addresses of MX hosts and PTR names, 1 explanation.
  spf: 100,
  dkim: DKIM_MAX_SIGNATURES,
  // A key for each seal, and one for the newest message signature.
  arc: ARC_MAX_SETS + 1,
  // At most 8 for a tree walk (RFC 9989 §4.10): for the author's domain and for four identifiers.
  dmarc: 40,
  iprev: 1 + IPREV_MAX_NAMES,
} as const;

/** Most lookups that one message can cause. */
export const MAX_LOOKUPS = Object.values(LOOKUP_LIMITS).reduce((a, b) => a + b, 0);

/** RFC 7208 §4.6.4: milliseconds for all lookups; later ones fail as timed out. */
export const MAX_LOOKUP_MS = 20_000;

/**
 * Most milliseconds of CPU time for one message's header, whatever it contains, and for each MiB of its body.
 * The tests measure the worst known messages against them, with room for slow machines.
 */
export const MAX_HEADER_CPU_MS = 1_000;
export const MAX_BODY_CPU_MS_PER_MIB = 100;
