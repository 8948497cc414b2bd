/** Metrics of lookups. @module */
import { counter } from "../metrics/mod.ts";

/** Lookups that were not answered from the cache, by result. */
export const lookups = counter(
  "mox_dns_lookup_total",
  "DNS lookups sent to a resolver, by result.",
  {
    result: [
      "ok",
      "nxdomain",
      "nodata",
      "servfail",
      "bogus",
      "timeout",
      "noserver",
      "truncated",
      "malformed",
      "badname",
      "limit",
    ],
  },
);
