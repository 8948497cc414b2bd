/** What must hold in mox.conf beyond the form of single values. @module */
import type { Listener } from "./listener.ts";
import type { OpenIdProvider } from "./identity.ts";
import type { PathReport } from "../sconf/schema.ts";
import type { ACME, Static } from "./static.ts";
import type { Transport, TransportSMTP } from "./transport.ts";
import { checkScanners } from "./check_scanners.ts";
import { isInbox, isLoopbackIp, isUnspecifiedIp } from "../sconf/types.ts";

/** Reports all that is wrong. */
export function checkStatic(c: Static, report: PathReport): void {
  if (c.Listeners.size === 0) report(["Listeners"], "there must be at least one listener");
  for (const [name, l] of c.Listeners) checkListener(["Listeners", name], l, c.ACME, report);
  checkPorts(c, report);
  checkInitialMailboxes(c, report);
  for (const [name, t] of c.Transports) checkTransport(["Transports", name], t, report);
  if (c.CheckUpdates && c.CheckUpdatesDomain === "") {
    report(
      ["CheckUpdates"],
      "nothing is looked up: CheckUpdatesDomain names no domain to ask",
      "warning",
    );
  }
  for (const [name, p] of c.OpenIDProviders) {
    checkOpenIdProvider(["OpenIDProviders", name], name, p, report);
  }
  for (const [name, d] of c.LDAPDirectories) {
    if (d.NoTLS && d.URL.startsWith("ldaps:")) {
      report(["LDAPDirectories", name, "NoTLS"], "contradicts ldaps in URL");
    }
    if ((d.BindDN === "") !== (d.BindPasswordFile === "")) {
      const missing = d.BindDN === "" ? "BindDN" : "BindPasswordFile";
      report(
        ["LDAPDirectories", name],
        `BindDN and BindPasswordFile go together: ${missing} is missing`,
      );
    }
    if (d.HashAttribute !== "" && d.BindDN === "") {
      report(
        ["LDAPDirectories", name, "HashAttribute"],
        "needs BindDN: hashes are for nobody to read without a login",
      );
    }
  }
  for (const [name, p] of c.DNSProviders) {
    const path = ["DNSProviders", name];
    if (p.Zones.length === 0) report([...path, "Zones"], "a provider needs a zone");
    checkUnique(p.Zones, (i, zone) => report([...path, "Zones", i], `${zone} is there twice`));
    if ((p.Update === undefined) === (p.Webhook === undefined)) {
      report(path, "a provider needs either Update or Webhook");
    }
  }
  for (const [name, a] of c.ACME) {
    if (a.DNS01 && c.DNSProviders.size === 0) {
      report(["ACME", name, "DNS01"], "needs DNSProviders, which write the records");
    }
  }
  checkScanners(c, report);
  const ca = c.TLS.CA;
  if (ca && !ca.AdditionalToSystem && ca.CertFiles.length === 0) {
    report(
      ["TLS", "CA"],
      "no certificate authority would be trusted: set AdditionalToSystem, or list CertFiles",
    );
  }
}

type Path = (string | number)[];

function checkOpenIdProvider(
  path: Path,
  name: string,
  p: OpenIdProvider,
  report: PathReport,
): void {
  // It is in addresses that providers are told.
  if (!/^[a-z0-9-]{1,40}$/.test(name) || name === "callback" || name === "providers") {
    report(path, "its name must be of lower-case letters, digits and hyphens");
  }
  const issuer = URL.parse(p.Issuer);
  const loopback = issuer !== null && (issuer.hostname === "localhost" ||
    isLoopbackIp(issuer.hostname.replace(/^\[|\]$/g, "")));
  if (issuer?.protocol !== "https:" && !loopback) {
    report([...path, "Issuer"], "must be https: only on loopback it may be http");
  }
  if (issuer !== null && (issuer.search !== "" || issuer.hash !== "")) {
    report([...path, "Issuer"], "must have neither query nor fragment");
  }
}

/** Services of a listener that speak TLS, by the names of their fields. */
function tlsServices(l: Listener): string[] {
  const needs: [string, boolean][] = [
    ["SMTP", l.SMTP.Enabled && !l.SMTP.NoSTARTTLS],
    ["Submission", l.Submission.Enabled && !l.Submission.NoRequireSTARTTLS],
    ["Submissions", l.Submissions.Enabled],
    ["IMAP", l.IMAP.Enabled && !l.IMAP.NoRequireSTARTTLS],
    ["IMAPS", l.IMAPS.Enabled],
    ["ManageSieve", l.ManageSieve.Enabled && !l.ManageSieve.NoRequireSTARTTLS],
    ["POP3", l.POP3.Enabled && !l.POP3.NoRequireSTARTTLS],
    ["POP3S", l.POP3S.Enabled],
    ["AccountHTTPS", l.AccountHTTPS.Enabled],
    ["AdminHTTPS", l.AdminHTTPS.Enabled],
    ["WebmailHTTPS", l.WebmailHTTPS.Enabled],
    ["WebAPIHTTPS", l.WebAPIHTTPS.Enabled],
    ["JMAPHTTPS", l.JMAPHTTPS.Enabled],
    ["DAVHTTPS", l.DAVHTTPS.Enabled],
    ["ListsHTTPS", l.ListsHTTPS.Enabled],
    ["AutoconfigHTTPS", l.AutoconfigHTTPS.Enabled && !l.AutoconfigHTTPS.NonTLS],
    ["MTASTSHTTPS", l.MTASTSHTTPS.Enabled && !l.MTASTSHTTPS.NonTLS],
    ["WebserverHTTPS", l.WebserverHTTPS.Enabled],
  ];
  return needs.filter(([, on]) => on).map(([name]) => name);
}

function checkListener(
  path: Path,
  l: Listener,
  acme: Map<string, ACME>,
  report: PathReport,
): void {
  const at = (...rest: Path) => [...path, ...rest];
  checkUnique(l.IPs, (i, ip) => report(at("IPs", i), `${ip} is there twice`));
  if (l.IPsNATed && l.NATIPs.length > 0) {
    report(at("IPsNATed"), "can't go together with NATIPs, which replaces it: remove IPsNATed");
  }
  l.NATIPs.forEach((ip, i) => {
    if (isUnspecifiedIp(ip) || isLoopbackIp(ip)) {
      report(at("NATIPs", i), `${ip} is not a public address`);
    }
  });
  if (l.PprofHTTP.Enabled) {
    report(at("PprofHTTP"), "profiles are not served by this program", "warning");
  }
  if (l.SMTP.TLSSessionTicketsDisabled === true) {
    report(
      at("SMTP", "TLSSessionTicketsDisabled"),
      "the runtime hands out session tickets always: to clients that fail on them, tickets go all the same",
      "warning",
    );
  }
  const needs = tlsServices(l);
  if (!l.TLS) {
    if (needs.length > 0) {
      report(path, `TLS is missing, which is needed for ${needs.join(", ")}`);
    }
  } else if (l.TLS.ACME !== "" && l.TLS.KeyCerts.length > 0) {
    report(at("TLS"), "ACME and KeyCerts can't go together");
  } else if (l.TLS.ACME === "" && l.TLS.KeyCerts.length === 0) {
    report(at("TLS"), "either ACME or KeyCerts must be set");
  } else if (l.TLS.ACME !== "" && !acme.has(l.TLS.ACME)) {
    report(at("TLS", "ACME"), `there is no ${JSON.stringify(l.TLS.ACME)} in ACME of this file`);
  }
  for (const name of ["Submissions", "IMAPS"] as const) {
    if (l[name].EnabledOnHTTPS && !l.TLS) {
      report(at(name, "EnabledOnHTTPS"), "needs TLS, which is missing in the listener");
    }
  }
  if (l.ProxyProtocol && l.TrustedProxies.length === 0) {
    report(at("ProxyProtocol"), "needs TrustedProxies: nobody else's header is believed");
  }
  if (l.AuthHTTP.Enabled && l.TrustedProxies.length === 0) {
    report(at("AuthHTTP"), "needs TrustedProxies: nobody else is answered");
  }
  l.TrustedProxies.forEach((network, i) => {
    if (network.endsWith("/0")) {
      report(at("TrustedProxies", i), `${network} is everybody: name the addresses of the proxies`);
    }
  });
  if (l.SMTP.RequireSTARTTLS && l.SMTP.NoSTARTTLS) {
    report(at("SMTP", "RequireSTARTTLS"), "can't go together with NoSTARTTLS");
  }
}

/** A use of a port of a listener. Uses of one port must agree in their protocol. */
interface PortUse {
  service: string;
  protocol: string;
}

/** Ports of a listener with what is spoken on them. */
export function portUses(l: Listener): Map<number, PortUse[]> {
  const uses = new Map<number, PortUse[]>();
  const add = (
    service: keyof Listener,
    s: { Enabled: boolean; Port: number },
    protocol: string,
  ) => {
    if (!s.Enabled) return;
    uses.set(s.Port, [...uses.get(s.Port) ?? [], { service, protocol }]);
  };
  add("SMTP", l.SMTP, "SMTP");
  add("Submission", l.Submission, "submission");
  add("Submissions", l.Submissions, "submissions");
  add("IMAP", l.IMAP, "IMAP");
  add("IMAPS", l.IMAPS, "IMAPS");
  add("ManageSieve", l.ManageSieve, "ManageSieve");
  add("POP3", l.POP3, "POP3");
  add("POP3S", l.POP3S, "POP3S");
  add("AccountHTTP", l.AccountHTTP, "HTTP");
  add("AdminHTTP", l.AdminHTTP, "HTTP");
  add("WebmailHTTP", l.WebmailHTTP, "HTTP");
  add("WebAPIHTTP", l.WebAPIHTTP, "HTTP");
  add("JMAPHTTP", l.JMAPHTTP, "HTTP");
  add("DAVHTTP", l.DAVHTTP, "HTTP");
  add("ListsHTTP", l.ListsHTTP, "HTTP");
  add("MetricsHTTP", l.MetricsHTTP, "HTTP");
  add("AuthHTTP", l.AuthHTTP, "HTTP");
  add("WebserverHTTP", l.WebserverHTTP, "HTTP");
  add("AccountHTTPS", l.AccountHTTPS, "HTTPS");
  add("AdminHTTPS", l.AdminHTTPS, "HTTPS");
  add("WebmailHTTPS", l.WebmailHTTPS, "HTTPS");
  add("WebAPIHTTPS", l.WebAPIHTTPS, "HTTPS");
  add("JMAPHTTPS", l.JMAPHTTPS, "HTTPS");
  add("DAVHTTPS", l.DAVHTTPS, "HTTPS");
  add("ListsHTTPS", l.ListsHTTPS, "HTTPS");
  add("WebserverHTTPS", l.WebserverHTTPS, "HTTPS");
  add("AutoconfigHTTPS", l.AutoconfigHTTPS, l.AutoconfigHTTPS.NonTLS ? "HTTP" : "HTTPS");
  add("MTASTSHTTPS", l.MTASTSHTTPS, l.MTASTSHTTPS.NonTLS ? "HTTP" : "HTTPS");
  return uses;
}

function checkPorts(c: Static, report: PathReport): void {
  const taken = new Map<string, string>();
  for (const [name, l] of c.Listeners) {
    for (const [port, uses] of portUses(l)) {
      const other = uses.find((u) => u.protocol !== uses[0].protocol);
      if (other) {
        report(
          ["Listeners", name, other.service, "Port"],
          `port ${port} is taken for ${uses[0].protocol} by ${uses[0].service} already`,
        );
      }
      for (const ip of new Set(l.IPs)) {
        const key = `${ip} ${port}`;
        const before = taken.get(key);
        if (before !== undefined) {
          report(
            ["Listeners", name, uses[0].service, "Port"],
            `port ${port} of ${ip} is taken by listener ${before} already`,
          );
        }
        taken.set(key, name);
      }
    }
  }
}

function checkInitialMailboxes(c: Static, report: PathReport): void {
  const { SpecialUse, Regular } = c.InitialMailboxes;
  const special = Object.entries(SpecialUse).filter(([, name]) => name !== "");
  if (c.DefaultMailboxes.length > 0 && (special.length > 0 || Regular.length > 0)) {
    report(
      ["DefaultMailboxes"],
      "can't go together with InitialMailboxes, which replaces it: remove DefaultMailboxes",
    );
  }
  const seen = new Set<string>();
  const check = (path: Path, name: string) => {
    if (isInbox(name)) report(path, "Inbox is always made and must not be listed");
    if (name.includes("/")) report(path, "initial mailboxes can't be below another one");
    if (seen.has(name)) report(path, `${name} is there twice`);
    seen.add(name);
  };
  for (const [use, name] of special) check(["InitialMailboxes", "SpecialUse", use], name);
  Regular.forEach((name, i) => check(["InitialMailboxes", "Regular", i], name));
  seen.clear();
  c.DefaultMailboxes.forEach((name, i) => {
    if (!isInbox(name)) check(["DefaultMailboxes", i], name);
  });
}

function checkTransport(path: Path, t: Transport, report: PathReport): void {
  const kinds = Object.entries(t).filter(([, v]) => v !== undefined).map(([name]) => name);
  if (kinds.length > 1) {
    report(path, `a transport is of one kind, not of ${kinds.length}: ${kinds.join(", ")}`);
  }
  const smtp = (kind: string, s: TransportSMTP) => {
    if (!s.Auth) return;
    checkUnique(
      s.Auth.Mechanisms,
      (i, m) => report([...path, kind, "Auth", "Mechanisms", i], `${m} is there twice`),
    );
  };
  if (t.Submissions) {
    smtp("Submissions", t.Submissions);
    for (const key of ["STARTTLSInsecureSkipVerify", "NoSTARTTLS"] as const) {
      if (t.Submissions[key]) {
        report(
          [...path, "Submissions", key],
          "is not for Submissions, which is TLS from its start",
        );
      }
    }
  }
  if (t.Submission) smtp("Submission", t.Submission);
  if (t.SMTP) smtp("SMTP", t.SMTP);
  if (t.Direct?.DisableIPv4 && t.Direct.DisableIPv6) {
    report([...path, "Direct"], "with both DisableIPv4 and DisableIPv6 nothing can be delivered");
  }
  const code = t.Fail?.SMTPCode;
  if (code !== undefined && (code < 400 || code > 599)) {
    report([...path, "Fail", "SMTPCode"], `${code} is not the code of a failure: 400 to 599`);
  }
}

/** Tells of each value that was there before. */
export function checkUnique(values: string[], twice: (index: number, value: string) => void): void {
  const seen = new Set<string>();
  values.forEach((value, i) => {
    if (seen.has(value)) twice(i, value);
    seen.add(value);
  });
}
