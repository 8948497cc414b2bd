/** The result of checking a signature. @module */

/** A signature that was checked. */
export interface CheckedSignature {
  /**
   * good: it is valid, and somebody trusted vouches for the key; held: it is valid, with a key that nobody
   * vouches for; other: it is valid, but made by somebody other than the sender; bad: it is invalid; noKey: the
   * key isn't available; unknown: made in a way that is not supported here, or damaged.
   */
  state: "good" | "held" | "other" | "bad" | "noKey" | "unknown";
  /** Whose key it is, as the key says; "" if that is not known. */
  signer: string;
  /** Fingerprint of the key, or of the certificate, in capitals; "" without one. */
  fingerprint: string;
}

/** A signature about which nothing is known. */
export const unknownSignature: CheckedSignature = { state: "unknown", signer: "", fingerprint: "" };
