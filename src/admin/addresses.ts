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

/**
 * The key of a localpart among aliases or lists of a domain, which domains.conf has as they were typed: mail finds them in
 * any case unless the domain is case-sensitive, so administrators do too.
 */
export function localpartKey(
  named: ReadonlyMap<string, unknown>,
  localpart: string,
  caseSensitive: boolean,
): string | undefined {
  if (named.has(localpart) || caseSensitive) return named.has(localpart) ? localpart : undefined;
  const wanted = localpart.toLowerCase();
  return [...named.keys()].find((key) => key.toLowerCase() === wanted);
}
