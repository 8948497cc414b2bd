/** Addresses as written by administrators. @module */
import { NameError, parseAddress } from "../config/names.ts";
import { AdminError } from "./errors.ts";

/** The parsed address. @throws AdminError with the text and its mistake, in place of the parser's NameError */
export function readAddress<T>(text: string, read: () => T): T {
  try {
    return read();
  } catch (err) {
    if (!(err instanceof NameError)) throw err;
    throw new AdminError(`${JSON.stringify(text)} is not an address: it ${err.message}`);
  }
}

/** Localpart, and domain in Unicode as domains.conf has it. @throws AdminError */
export function splitAddress(address: string): { localpart: string; domain: string } {
  const a = readAddress(address, () => parseAddress(address));
  return { localpart: a.localpart, domain: a.domain.unicode };
}
