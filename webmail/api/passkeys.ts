/** The calls about passkeys that pages with a login have. @module */
import * as v from "valibot";
import { Nothing, text } from "./basics.ts";

/** Answers of authenticators; all but the algorithm in base64url. */
const answer = {
  id: text(2000),
  clientData: text(10_000),
  authenticatorData: text(10_000),
};

export const PasskeyLogin = v.strictObject({
  ...answer,
  signature: text(5000),
  /** The key's owner. */
  userHandle: text(1000),
});

export const NewPasskey = v.strictObject({
  ...answer,
  publicKey: text(5000),
  algorithm: v.number(),
});

/** Both work without a login. */
export const passkeyCalls = {
  PasskeyChallenge: { request: Nothing, response: v.object({ challenge: v.string() }) },
  PasskeyLogin: {
    request: PasskeyLogin,
    response: v.object({ account: v.string(), loginAddress: v.string() }),
  },
};
