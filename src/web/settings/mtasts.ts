/**
 * MTA-STS policies of our own domains (RFC 8461 §3.3), at mta-sts.<domain>.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { HttpError, textResponse, type WebHandler } from "../http/mod.ts";

const prefix = "mta-sts.";

/** True for the host name that serves a domain's policy. */
export function mtastsHost(config: Config, host: string): boolean {
  return host.startsWith(prefix) && config.domain(host.slice(prefix.length)) !== undefined;
}

/** Answers with the policy of the host's domain. */
export function mtastsHandler(config: Config): WebHandler {
  return (req) => {
    if (req.path !== "/.well-known/mta-sts.txt") throw new HttpError(404, "not found");
    const entry = config.domain(req.url.hostname.slice(prefix.length));
    const policy = entry?.config.Disabled ? undefined : entry?.config.MTASTS;
    if (!policy) throw new HttpError(404, "the domain has no policy");
    const mx = policy.MX.length > 0 ? policy.MX : [config.static.Hostname];
    // RFC 8461 §3.2: names in ASCII, lines ending in CRLF or LF.
    const ascii = (name: string) => {
      const wildcard = name.startsWith("*.");
      const host = new URL(`http://${wildcard ? name.slice(2) : name}`).hostname;
      return wildcard ? `*.${host}` : host;
    };
    const lines = [
      "version: STSv1",
      `mode: ${policy.Mode}`,
      `max_age: ${Math.floor(policy.MaxAge / 1000)}`,
      ...mx.map((name) => `mx: ${ascii(name)}`),
    ];
    return textResponse(200, `${lines.join("\n")}\n`);
  };
}
