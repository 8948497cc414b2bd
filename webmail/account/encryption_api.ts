/** Calls of the account page for encrypting incoming mail. @module */
import * as v from "valibot";
import { Nothing, text, Time } from "../api/basics.ts";

export const encryptionCalls = {
  Encryption: {
    request: Nothing,
    response: v.object({
      key: v.nullable(v.object({
        kind: v.picklist(["pgp", "smime"]),
        /** The owner named in the key. */
        name: v.string(),
        fingerprint: v.string(),
        expires: v.nullable(Time),
        /** When it was set. */
        set: Time,
      })),
    }),
  },
  /** An OpenPGP public key in ASCII armor or a certificate in PEM; null removes the current one. */
  EncryptionSet: {
    request: v.strictObject({ key: v.nullable(text(300_000)) }),
    response: Nothing,
  },
};
