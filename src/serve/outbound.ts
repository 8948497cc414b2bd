/** All outgoing connections of a server: its certificate authorities and its resolver. @module */
import type { Static } from "../config/mod.ts";
import { hostAddresses, makeResolver, type Resolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { Authorities, Outbound, userAddressRule } from "../net/mod.ts";
import { machineAddresses } from "../platform/net.ts";
import { resolveFrom } from "../platform/paths.ts";

/**
 * Reads the authorities in mox.conf (by default those of the system), and creates the outgoing side.
 * @param dir the folder of mox.conf
 * @param local users may have it connect to this machine and its networks (localserve)
 * @throws Error naming a file of TLS, CA, CertFiles that can't be used
 */
export function openOutbound(
  config: Pick<Static, "TLS" | "AllowedUserNetworks">,
  dir: string,
  resolver: Resolver = makeResolver(),
  local = false,
): Outbound {
  const ca = config.TLS.CA;
  return new Outbound({
    authorities: Authorities.open({
      system: !ca || ca.AdditionalToSystem,
      files: ca?.CertFiles.map((f) => resolveFrom(dir, f)),
      log: new Log("tls"),
    }),
    lookup: hostAddresses(resolver),
    forUsers: local
      ? undefined
      : userAddressRule({ allowed: config.AllowedUserNetworks, own: machineAddresses }),
  });
}
