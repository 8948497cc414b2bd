/** The part of an address that a test looks at (RFC 5228 §2.7.4, RFC 5233). @module */
import type { AddressPart } from "../check/matching.ts";
import { addressText, type FoundAddress, splitDetail } from "../message/addresses.ts";
import type { Run } from "../run/run.ts";

/** The part, undefined if the address has none such; of what is no address there is the whole only. */
export function partOfAddress(run: Run, a: FoundAddress, part: AddressPart): string | undefined {
  if ("invalid" in a) return part === "all" ? a.invalid : undefined;
  switch (part) {
    case "all":
      return addressText(a);
    case "localpart":
      return a.localpart;
    case "domain":
      return a.domain;
    case "user":
      return splitDetail(a.localpart, run.context.separators).user;
    case "detail":
      return splitDetail(a.localpart, run.context.separators).detail;
  }
}
