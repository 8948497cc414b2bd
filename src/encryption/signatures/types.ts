/** What checking a signature gives. @module */

/** A signature that was checked. */
export interface CheckedSignature {
  /**
   * good: it holds, and who is trusted vouches for the key; held: it holds, with a key that nobody vouches for;
   * other: it holds, and is by somebody other than the sender; bad: it does not hold; noKey: the key isn't there;
   * unknown: made in a way that is not known here, or damaged.
   */
  state: "good" | "held" | "other" | "bad" | "noKey" | "unknown";
  /** Whose key it is, as the key says itself; "" if that is not known. */
  signer: string;
  /** Fingerprint of the key, or of the certificate, in capitals; "" without one. */
  fingerprint: string;
}

/** One of which nothing is known. */
export const unknownSignature: CheckedSignature = { state: "unknown", signer: "", fingerprint: "" };
