/** Settings for users' mail programs. @module */
import type { Config } from "../config/mod.ts";
import { domainName } from "./domains.ts";
import { AdminError } from "./errors.ts";

/** A service that a mail program connects to. */
export interface ClientService {
  protocol: "IMAP" | "submission" | "ManageSieve";
  host: string;
  port: number;
  /** TLS from the first byte, STARTTLS, or none. */
  security: "TLS" | "STARTTLS" | "none";
  /** Its listener. */
  listener: string;
}

/** Services for an address of a domain, best first. @throws AdminError */
export function clientServices(config: Config, domain: string): ClientService[] {
  const name = domainName(domain);
  const entry = config.domain(name.ascii);
  if (!entry) throw new AdminError(`no domain ${name.unicode}`);
  const services: ClientService[] = [];
  for (const [listener, l] of config.static.Listeners) {
    const host = entry.config.ClientSettingsDomain !== ""
      ? entry.config.ClientSettingsDomain
      : l.Hostname !== ""
      ? l.Hostname
      : config.static.Hostname;
    const add = (
      protocol: ClientService["protocol"],
      s: { Enabled: boolean; Port: number },
      security: ClientService["security"],
    ) => {
      if (s.Enabled) services.push({ protocol, host, port: s.Port, security, listener });
    };
    add("IMAP", l.IMAPS, "TLS");
    add("submission", l.Submissions, "TLS");
    add("IMAP", l.IMAP, l.TLS ? "STARTTLS" : "none");
    add("ManageSieve", l.ManageSieve, l.TLS ? "STARTTLS" : "none");
    add("submission", l.Submission, l.TLS ? "STARTTLS" : "none");
  }
  const rank = { TLS: 0, STARTTLS: 1, none: 2 };
  return services.sort((a, b) =>
    a.protocol.localeCompare(b.protocol) || rank[a.security] - rank[b.security]
  );
}
