/** Addresses as administrators write them. @module */
import { NameError, parseAddress } from "../config/names.ts";
import { AdminError } from "./errors.ts";

/** What is read of an address. @throws AdminError with the text and what is wrong with it, for the reader's NameError */
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
