/**
 * Where users' mail programs find this server: host, port and kind of TLS for IMAP, POP3, submission and ManageSieve.
 *
 * @module
 */
import type { Config, Listener } from "../../config/mod.ts";

/** A service for mail programs. */
export interface ClientService {
  host: string;
  port: number;
  /** "tls": from the first byte. */
  security: "tls" | "starttls" | "none";
}

/** Settings for the addresses of one domain. */
export interface ClientSettings {
  /** The best of each kind first; empty if no listener offers it. */
  imap: ClientService[];
  pop3: ClientService[];
  submission: ClientService[];
  /** ManageSieve, which has no "tls". */
  sieve: ClientService[];
  /** CardDAV and CalDAV; they don't have "starttls". */
  dav: ClientService[];
}

/**
 * The settings of a domain, from all listeners: TLS from the first byte before STARTTLS before none.
 * @returns undefined for a domain that isn't configured.
 */
export function clientSettings(config: Config, domain: string): ClientSettings | undefined {
  const entry = config.domain(domain);
  if (entry === undefined) return undefined;
  const imap: ClientService[] = [];
  const pop3: ClientService[] = [];
  const submission: ClientService[] = [];
  const sieve: ClientService[] = [];
  const dav: ClientService[] = [];
  const add = (
    to: ClientService[],
    host: string,
    port: number,
    security: ClientService["security"],
  ) => {
    if (!to.some((s) => s.host === host && s.port === port)) to.push({ host, port, security });
  };
  for (const l of config.static.Listeners.values()) {
    const host = entry.config.ClientSettingsDomain || l.Hostname || config.static.Hostname;
    const clear = (l: Listener, noRequire: boolean) =>
      l.TLS !== undefined && l.TLS !== null ? "starttls" : noRequire ? "none" : undefined;
    // Local listeners of plain HTTP are of no use to programs on other machines.
    if (l.DAVHTTPS.Enabled) add(dav, host, l.DAVHTTPS.Port || 443, "tls");
    if (l.IMAPS.Enabled) add(imap, host, l.IMAPS.Port || 993, "tls");
    if (l.Submissions.Enabled) add(submission, host, l.Submissions.Port || 465, "tls");
    const imapClear = clear(l, l.IMAP.NoRequireSTARTTLS);
    if (l.IMAP.Enabled && imapClear) add(imap, host, l.IMAP.Port || 143, imapClear);
    if (l.POP3S.Enabled) add(pop3, host, l.POP3S.Port || 995, "tls");
    const pop3Clear = clear(l, l.POP3.NoRequireSTARTTLS);
    if (l.POP3.Enabled && pop3Clear) add(pop3, host, l.POP3.Port || 110, pop3Clear);
    const submissionClear = clear(l, l.Submission.NoRequireSTARTTLS);
    if (l.Submission.Enabled && submissionClear) {
      add(submission, host, l.Submission.Port || 587, submissionClear);
    }
    const sieveClear = clear(l, l.ManageSieve.NoRequireSTARTTLS);
    if (l.ManageSieve.Enabled && sieveClear) {
      add(sieve, host, l.ManageSieve.Port || 4190, sieveClear);
    }
  }
  const order = ["tls", "starttls", "none"];
  const sort = (s: ClientService[]) =>
    s.sort((a, b) => order.indexOf(a.security) - order.indexOf(b.security));
  return {
    ...{ imap: sort(imap), pop3: sort(pop3), submission: sort(submission), sieve: sort(sieve) },
    dav,
  };
}
