/** A password to be set. @module */
import { preparePassword, SaslError } from "../../sasl/mod.ts";
import { UserError } from "../http/mod.ts";

/** Normalised as logins compare it. @throws UserError for invalid characters */
export function newPassword(text: string): string {
  try {
    return preparePassword(text);
  } catch (err) {
    if (!(err instanceof SaslError)) throw err;
    throw new UserError(err.message, { cause: err });
  }
}
