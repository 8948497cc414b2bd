/** Services that write records into zones: DNSProviders of mox.conf. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { list, struct } from "../sconf/schema_blocks.ts";
import { duration, text, word } from "../sconf/schema_scalars.ts";
import { dnsZoneText, domainText, fileText, httpUrlText, port } from "../sconf/types.ts";

const minute = 60_000;

export const dnsProvider = struct({
  Zones: required(
    list(domainText),
    "Zones that records are written into, such as example.org. For a name the longest zone that it is in counts.",
  ),
  Update: nullable(
    struct({
      Server: required(
        text((s) => /^[A-Za-z0-9.:_-]+$/.test(s) ? undefined : "is no host and no address"),
        "Name or address of the zones' primary name server.",
      ),
      Port: optional(port, "", 53),
      KeyName: required(
        dnsZoneText,
        "Name of the key (TSIG), as in the name server's configuration.",
      ),
      Algorithm: optional(
        word(["hmac-sha256", "hmac-sha384", "hmac-sha512"]),
        "Of the key.",
        "hmac-sha256",
      ),
      KeyFile: required(
        fileText,
        "File with the key's secret in base64, relative to the folder of mox.conf.",
      ),
    }),
    "Dynamic updates (RFC 2136), as BIND, Knot, PowerDNS and others take them.",
  ),
  Webhook: nullable(
    struct({
      URL: required(
        httpUrlText,
        "Gets POST requests with JSON: zone, ttl, and the records to remove and to add, each with name, type and data. A " +
          "status of 2xx says that the zone has them. For name servers with an interface of their own.",
      ),
      AuthorizationFile: optional(
        fileText,
        "File with the value of the header Authorization, relative to the folder of mox.conf.",
      ),
    }),
    "In place of Update: a program of yours, as this server runs none.",
  ),
  TTL: optional(duration, "How long others may keep the records.", 5 * minute),
  Timeout: optional(
    duration,
    "How long is waited until records that were written are seen in the DNS.",
    2 * minute,
  ),
});
export type DnsProvider = Infer<typeof dnsProvider>;
