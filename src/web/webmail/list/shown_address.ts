/** Addresses as people read them. @module */
import { domainToUnicode } from "node:url";
import type { Address } from "../../../../webmail/api/mod.ts";
import {
  addressLimits,
  flattenAddresses,
  parseAddressList,
} from "../../../mail/address/address.ts";
import type { HeaderField } from "../../../mail/header/header.ts";
import type { SummaryAddress } from "../../../store/types.ts";

/** With its domain in Unicode (RFC 5890). */
export function shownAddress(address: SummaryAddress): Address {
  const at = address.address.lastIndexOf("@");
  const domain = address.address.slice(at + 1);
  // An invalid domain becomes "" there: then it stays unchanged.
  const unicode = domain.includes("xn--") ? domainToUnicode(domain) : "";
  return unicode === ""
    ? address
    : { name: address.name, address: address.address.slice(0, at + 1) + unicode };
}

/** Addresses of a field that are named. */
const maxAddresses = 5000;

/** All addresses of the fields with a name. */
export function shownAddresses(fields: readonly HeaderField[], name: string): Address[] {
  return fields.filter((f) => f.name === name)
    .flatMap((f) => flattenAddresses(parseAddressList(f.value, addressLimits, true)))
    .filter((a) => a.localpart !== "" && a.domain !== "")
    .slice(0, maxAddresses)
    .map((a) => shownAddress({ name: a.name, address: `${a.localpart}@${a.domain}` }));
}
