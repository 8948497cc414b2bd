/** The calls about encrypting incoming mail of the account page. @module */
import * as v from "valibot";
import { Nothing, text, Time } from "../api/basics.ts";

export const encryptionCalls = {
  Encryption: {
    request: Nothing,
    response: v.object({
      key: v.nullable(v.object({
        kind: v.picklist(["pgp", "smime"]),
        /** Whose it is, as it says itself. */
        name: v.string(),
        fingerprint: v.string(),
        expires: v.nullable(Time),
        /** Since when. */
        set: Time,
      })),
    }),
  },
  /** An OpenPGP public key in armor or a certificate in PEM; null for none any more. */
  EncryptionSet: {
    request: v.strictObject({ key: v.nullable(text(300_000)) }),
    response: Nothing,
  },
};
