/** The part of an address that a test compares (RFC 5228 §2.7.4, RFC 5233). @module */
import type { AddressPart } from "../check/matching.ts";
import { addressText, type FoundAddress, splitDetail } from "../message/addresses.ts";
import type { Run } from "../run/run.ts";

/** The part, undefined if the address lacks it; an invalid address has only the whole. */
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
