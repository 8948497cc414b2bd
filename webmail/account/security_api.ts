/** Calls of the account page for the ways to log in. @module */
import * as v from "valibot";
import { NewPasskey } from "../api/passkeys.ts";
import { Count, Id, Nothing, text, Time } from "../api/basics.ts";

/** Similar attempts of one day. */
export const Attempts = v.object({
  account: v.string(),
  login: v.string(),
  service: v.string(),
  mechanism: v.string(),
  result: v.string(),
  remoteIp: v.string(),
  client: v.string(),
  first: Time,
  last: Time,
  count: Count,
});
export type Attempts = v.InferOutput<typeof Attempts>;

/**
 * Someone who finds an open page must not be able to change how to log in: the password is asked for again, and the
 * code if there is a second factor.
 */
export const confirmation = { current: text(1000), totp: v.optional(text(20)) };

export const securityCalls = {
  Security: {
    request: Nothing,
    response: v.object({
      secondFactor: v.boolean(),
      /** Number of unused recovery codes. */
      recoveryCodes: Count,
      appPasswords: v.array(v.object({
        id: Id,
        name: v.string(),
        created: Time,
        /** 0 for never. */
        lastUsed: Time,
        lastProtocol: v.string(),
        lastIp: v.string(),
      })),
      passkeys: v.array(v.object({
        id: Id,
        name: v.string(),
        created: Time,
        /** 0 for never. */
        lastUsed: Time,
      })),
      tlsKeys: v.array(v.object({
        fingerprint: v.string(),
        login: v.string(),
        name: v.string(),
        type: v.string(),
        added: Time,
      })),
      attempts: v.array(Attempts),
    }),
  },
  /** Creates a key for a second factor, not in use yet. */
  SecondFactorBegin: {
    request: Nothing,
    response: v.object({
      key: v.string(),
      /** In the form that apps read. */
      uri: v.string(),
      /** The same as a QR code: modules per side, and the dark ones as an SVG path. */
      size: Count,
      path: v.string(),
    }),
  },
  SecondFactorOn: {
    request: v.strictObject({ key: text(100), code: text(20), ...confirmation }),
    response: v.object({ recoveryCodes: v.array(v.string()) }),
  },
  SecondFactorOff: { request: v.strictObject({ ...confirmation }), response: Nothing },
  /** What a device needs to create a passkey. */
  PasskeyBegin: {
    request: Nothing,
    response: v.object({
      challenge: v.string(),
      userHandle: v.string(),
      userName: v.string(),
      algorithms: v.array(v.number()),
      existing: v.array(v.string()),
    }),
  },
  PasskeyAdd: {
    request: v.strictObject({
      name: v.pipe(text(100), v.minLength(1)),
      passkey: NewPasskey,
      ...confirmation,
    }),
    response: Nothing,
  },
  PasskeyRemove: { request: v.strictObject({ id: Id, ...confirmation }), response: Nothing },
  AppPasswordAdd: {
    request: v.strictObject({ name: v.pipe(text(100), v.minLength(1)), ...confirmation }),
    response: v.object({ password: v.string() }),
  },
  AppPasswordRemove: { request: v.strictObject({ id: Id }), response: Nothing },
  TlsKeyAdd: {
    request: v.strictObject({
      login: text(500),
      certificate: text(20_000),
      name: text(100),
      ...confirmation,
    }),
    response: Nothing,
  },
  TlsKeyRemove: { request: v.strictObject({ fingerprint: text(100) }), response: Nothing },
  /** Ends all sessions but this one. */
  OtherSessionsEnd: { request: Nothing, response: Nothing },
};
