/** Addresses that were typed. @module */
import { flattenAddresses, parseAddressList } from "../../../mail/address/address.ts";
import { AddressError, formatMailbox, type WrittenAddress } from "../../../mail/address/format.ts";
import { UserError } from "../../http/mod.ts";

/** True for what can be mailed to, and written in a header. */
function isComplete(address: WrittenAddress): boolean {
  if (address.localpart === "" || address.domain === "") return false;
  if (address.localpart.length > 64 || address.domain.length > 255) return false;
  try {
    for (const smtputf8 of needsUtf8(address) ? [true] : [true, false]) {
      formatMailbox(address, { smtputf8 });
    }
    return true;
  } catch (err) {
    if (err instanceof AddressError) return false;
    throw err;
  }
}

/** True if an address can only be written in UTF-8. */
export function needsUtf8(address: WrittenAddress): boolean {
  return /[\u0080-\u{10ffff}]/u.test(address.localpart);
}

/** Addresses of a typed text; those that aren't complete are left out. */
export function typedAddresses(text: string): WrittenAddress[] {
  return flattenAddresses(parseAddressList(text)).filter(isComplete);
}

/** Addresses of typed texts. @throws UserError naming one that is none */
export function requiredAddresses(texts: readonly string[]): WrittenAddress[] {
  const all: WrittenAddress[] = [];
  for (const text of texts) {
    if (text.trim() === "") continue;
    const found = flattenAddresses(parseAddressList(text));
    if (found.length === 0 || !found.every(isComplete)) {
      throw new UserError(`${JSON.stringify(text)} is not an email address`);
    }
    all.push(...found);
  }
  return all;
}

export const addressOf = (a: WrittenAddress): string => `${a.localpart}@${a.domain.toLowerCase()}`;
