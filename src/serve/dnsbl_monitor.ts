/** Checks periodically whether block lists contain this host's addresses, for metrics. @module */
import { dnsblStatus } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { gauge } from "../metrics/mod.ts";

const success = gauge(
  "mox_dnsbl_ips_success",
  "1 if a block list does not have an address of this host, 0 if it has; absent where it does not answer.",
  ["zone", "ip"],
);

/** Milliseconds between two checks, and until the first one. */
const interval = 3 * 3600_000;
const firstAfter = 5 * 60_000;

/** Starts checking. @returns function that stops it */
export function monitorDnsbls(config: Config, resolver: Resolver): () => void {
  const log = new Log("dnsbl");
  const look = async () => {
    try {
      const states = await dnsblStatus(config, resolver);
      success.reset();
      for (const s of states) {
        if (s.status === "temperror") continue;
        success.set({ zone: s.zone, ip: s.ip }, s.status === "pass" ? 1 : 0);
        if (s.status === "fail") log.warn("address is on a block list", { ip: s.ip, zone: s.zone });
      }
    } catch (err) {
      log.error("looking at block lists", { err: err as Error });
    }
    timer = setTimeout(look, interval);
    Deno.unrefTimer(timer);
  };
  let timer = setTimeout(look, firstAfter);
  Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
}
