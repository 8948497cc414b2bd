/** Addresses as people read them. @module */
import { domainToUnicode } from "node:url";
import type { Address } from "../../../../webmail/api/mod.ts";
import type { SummaryAddress } from "../../../store/types.ts";

/** With its domain in Unicode (RFC 5890). */
export function shownAddress(address: SummaryAddress): Address {
  const at = address.address.lastIndexOf("@");
  const domain = address.address.slice(at + 1);
  // An invalid one is "" there: then it stays as it is.
  const unicode = domain.includes("xn--") ? domainToUnicode(domain) : "";
  return unicode === ""
    ? address
    : { name: address.name, address: address.address.slice(0, at + 1) + unicode };
}
