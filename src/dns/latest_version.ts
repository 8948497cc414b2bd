/** The latest version of the program, from a domain's DNS. @module */
import { DnsError, type Resolver } from "./types.ts";

/** Numbers of a version; the part after a hyphen is ignored. */
function numbers(version: string): number[] {
  return version.split("-", 1)[0].split(".").map(Number);
}

/** True if the first version is later than the second. */
export function isLater(a: string, b: string): boolean {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0);
    if (d !== 0) return d > 0;
  }
  return false;
}

/**
 * The version in the TXT record of `_updates` in a domain, such as "v=UPDATES0; l=0.2.0".
 * @throws Error with a message for display: no record, no version in it, or the DNS doesn't answer
 */
export async function latestVersion(resolver: Resolver, domain: string): Promise<string> {
  let records: string[];
  try {
    records = (await resolver.lookup(`_updates.${domain}`, "TXT")).records;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    throw new Error(`the latest version can't be had: ${err.message}`, { cause: err });
  }
  const latest = records
    .map((r) => /^v=UPDATES0;\s*l=([0-9][0-9.]{0,30}(?:-[\w.]{1,30})?)\s*(?:;|$)/.exec(r)?.[1])
    .find((v) => v !== undefined);
  if (latest === undefined) throw new Error(`_updates.${domain} names no version`);
  return latest;
}
