/** A password that is to be set. @module */
import { preparePassword, SaslError } from "../../sasl/mod.ts";
import { UserError } from "../http/mod.ts";

/** In the form that logins compare. @throws UserError for characters that can't be in one */
export function newPassword(text: string): string {
  try {
    return preparePassword(text);
  } catch (err) {
    if (!(err instanceof SaslError)) throw err;
    throw new UserError(err.message, { cause: err });
  }
}
