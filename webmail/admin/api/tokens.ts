/** Calls for tokens of the admin API, used by programs. @module */
import * as v from "valibot";
import { confirmation } from "../../account/security_api.ts";
import { Id, Nothing, text, Time } from "../../api/basics.ts";

export const Token = v.object({
  id: Id,
  name: v.string(),
  scopes: v.array(v.string()),
  /** Empty for the whole server. */
  domains: v.array(v.string()),
  created: Time,
  expires: Time,
  /** 0 for never. */
  lastUsed: Time,
  lastIp: v.string(),
});

export const tokenCalls = {
  Tokens: {
    request: Nothing,
    response: v.object({
      tokens: v.array(Token),
      /** All possible scopes. */
      scopes: v.array(v.string()),
      /** Whether the administrator's login has one. */
      secondFactor: v.boolean(),
    }),
  },
  /** The token is only shown here. */
  TokenAdd: {
    request: v.strictObject({
      name: text(100),
      scopes: v.pipe(v.array(text(50)), v.maxLength(50)),
      domains: v.pipe(v.array(text(300)), v.maxLength(1000)),
      /** Days until it expires. */
      days: v.pipe(v.number(), v.integer()),
      ...confirmation,
    }),
    response: v.object({ token: v.string() }),
  },
  TokenRemove: { request: v.strictObject({ id: Id }), response: Nothing },
};
