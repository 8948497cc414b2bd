/** domains.conf: settings that can change while the server runs. @module */
import { type Infer, optional, required } from "../sconf/schema.ts";
import { list, map, struct } from "../sconf/schema_blocks.ts";
import { isSafeName } from "../../platform/paths.ts";
import { account } from "./account.ts";
import { domain } from "./domain.ts";
import { node } from "./node.ts";
import { staticConfig } from "../static/static.ts";
import { route } from "../static/transport.ts";
import { checkDomain, checkUnicodeDomain, dnsZoneText, domainText } from "../sconf/types.ts";
import { webHandler } from "./web_handler.ts";

/** Keys at the top of mox.conf. */
function staticKeys(): string[] {
  return staticConfig.shape.kind === "struct" ? Object.keys(staticConfig.shape.fields) : [];
}

export const dynamicConfig = struct({
  Domains: required(
    map(domain, checkUnicodeDomain),
    "Domains that mail is accepted for. Names are in Unicode, not in the form xn--.",
  ),
  Accounts: required(
    map(
      account,
      (s) => isSafeName(s) ? undefined : "can't be the name of an account, as that of its folder",
    ),
    "Users. Each account has a password, addresses, of any of the domains, and a folder with its messages. The " +
      "keys are names of choice, not addresses.",
  ),
  Nodes: optional(
    map(
      node,
      (s) => /^[a-z0-9-]{1,63}$/.test(s) ? undefined : "must be up to 63 of a-z, 0-9 and -",
    ),
    "Servers that the accounts are spread over, by names of choice. All of them have the same domains.conf; " +
      "each says in mox.conf which one it is. Accounts without Node are at the first.",
  ),
  WebDomainRedirects: optional(
    map(domainText, checkDomain),
    "Web sites that are somewhere else: requests for the key's domain are redirected to that of the value, by " +
      "HTTPS.",
  ),
  WebHandlers: optional(
    list(webHandler),
    "What the web server does with requests; the first handler that fits counts. Certificates by ACME, " +
      "automatic configuration and MTA-STS come before them, the pages of the mail server after them. What " +
      "nothing fits is not found (404). Each handler has just one of WebStatic, WebRedirect, WebForward and " +
      "WebInternal.",
  ),
  Routes: optional(
    list(route),
    "Which transport takes outgoing messages. They come after those of the account and of the domain; the " +
      "first that fits counts, and without any messages are delivered directly.",
  ),
  MonitorDNSBLs: optional(
    list(dnsZoneText),
    "DNS block lists in which the own addresses are looked up from time to time. Those of SMTP in mox.conf, " +
      "which incoming mail is judged by, are looked up anyway.",
  ),
}, (key) => staticKeys().includes(key) ? "mox.conf" : undefined);

/** The values of domains.conf. */
export type Dynamic = Infer<typeof dynamicConfig>;
