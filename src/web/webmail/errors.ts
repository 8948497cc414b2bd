/** Refusals of the store as answers to calls. @module */
import { StoreError } from "../../store/types.ts";
import { HttpError, UserError } from "../http/mod.ts";

/** Rethrows errors of the store as errors for the user; other errors unchanged. */
export function rethrow(err: unknown): never {
  if (!(err instanceof StoreError)) throw err;
  switch (err.code) {
    case "mailboxMissing":
      throw new HttpError(404, err.message, {}, { cause: err });
    case "accountMissing":
    case "closed":
      throw new HttpError(503, "the server is stopping", {}, { cause: err });
    default:
      throw new UserError(err.message, { cause: err });
  }
}

/** A message or mailbox that doesn't exist (any more). */
export function missing(what: string): HttpError {
  return new HttpError(404, `this ${what} is gone`);
}
