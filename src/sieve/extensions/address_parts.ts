/** The part of an address that a test looks at (RFC 5228 §2.7.4, RFC 5233). @module */
import type { AddressPart } from "../check/matching.ts";
import { addressText, type FoundAddress, splitDetail } from "../message/addresses.ts";
import type { Run } from "../run/run.ts";

/** The part, undefined if the address has none such; of what is no address there is the whole only. */
export function partOfAddress(
  run: Run,
  address: FoundAddress,
  part: AddressPart,
): string | undefined {
  if ("invalid" in address) return part === "all" ? address.invalid : undefined;
  switch (part) {
    case "all":
      return addressText(address);
    case "localpart":
      return address.localpart;
    case "domain":
      return address.domain;
    case "user":
      return splitDetail(address.localpart, run.context.separators).user;
    case "detail":
      return splitDetail(address.localpart, run.context.separators).detail;
  }
}
