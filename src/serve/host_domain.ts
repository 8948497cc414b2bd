/** The name under which this host signs. @module */
import type { Config } from "../config/mod.ts";

/** The domain whose keys sign mail that this host sends in its own name: Hostname, or its parent domain. */
export function hostDomain(config: Config): string {
  const name = config.static.Hostname;
  for (let d = name; d.includes("."); d = d.slice(d.indexOf(".") + 1)) {
    if (config.domain(d)) return d;
  }
  return name;
}
