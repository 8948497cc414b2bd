/** Conditions for mox.conf beyond the form of single values. @module */
import type { Listener } from "./listener.ts";
import type { OpenIdProvider } from "./identity.ts";
import type { PathReport } from "../sconf/schema.ts";
import type { ACME, Static } from "./static.ts";
import type { Transport, TransportSMTP } from "./transport.ts";
import { checkScanners } from "./check_scanners.ts";
import { isInbox, isLoopbackIp, isUnspecifiedIp } from "../sconf/types.ts";

/** Reports all problems. */
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
  provider: OpenIdProvider,
  report: PathReport,
): void {
  // It is part of addresses registered with providers.
  if (!/^[a-z0-9-]{1,40}$/.test(name) || name === "callback" || name === "providers") {
    report(path, "its name must be of lower-case letters, digits and hyphens");
  }
  const issuer = URL.parse(provider.Issuer);
  const loopback = issuer !== null && (issuer.hostname === "localhost" ||
    isLoopbackIp(issuer.hostname.replace(/^\[|\]$/g, "")));
  if (issuer?.protocol !== "https:" && !loopback) {
    report([...path, "Issuer"], "must be https: only on loopback it may be http");
  }
  if (issuer !== null && (issuer.search !== "" || issuer.hash !== "")) {
    report([...path, "Issuer"], "must have neither query nor fragment");
  }
  if (provider.Administrators.length > 0 && provider.AllowUnverifiedEmail) {
    report(
      [...path, "Administrators"],
      "the provider must have verified their addresses: remove AllowUnverifiedEmail, or Administrators",
    );
  }
}

/** Services of a listener that speak TLS, by the names of their fields. */
function tlsServices(listener: Listener): string[] {
  const needs: [string, boolean][] = [
    ["SMTP", listener.SMTP.Enabled && !listener.SMTP.NoSTARTTLS],
    ["Submission", listener.Submission.Enabled && !listener.Submission.NoRequireSTARTTLS],
    ["Submissions", listener.Submissions.Enabled],
    ["IMAP", listener.IMAP.Enabled && !listener.IMAP.NoRequireSTARTTLS],
    ["IMAPS", listener.IMAPS.Enabled],
    ["ManageSieve", listener.ManageSieve.Enabled && !listener.ManageSieve.NoRequireSTARTTLS],
    ["POP3", listener.POP3.Enabled && !listener.POP3.NoRequireSTARTTLS],
    ["POP3S", listener.POP3S.Enabled],
    ["AccountHTTPS", listener.AccountHTTPS.Enabled],
    ["AdminHTTPS", listener.AdminHTTPS.Enabled],
    ["WebmailHTTPS", listener.WebmailHTTPS.Enabled],
    ["WebAPIHTTPS", listener.WebAPIHTTPS.Enabled],
    ["JMAPHTTPS", listener.JMAPHTTPS.Enabled],
    ["DAVHTTPS", listener.DAVHTTPS.Enabled],
    ["ListsHTTPS", listener.ListsHTTPS.Enabled],
    ["AutoconfigHTTPS", listener.AutoconfigHTTPS.Enabled && !listener.AutoconfigHTTPS.NonTLS],
    ["MTASTSHTTPS", listener.MTASTSHTTPS.Enabled && !listener.MTASTSHTTPS.NonTLS],
    ["WebserverHTTPS", listener.WebserverHTTPS.Enabled],
  ];
  return needs.filter(([, on]) => on).map(([name]) => name);
}

function checkListener(
  path: Path,
  listener: Listener,
  acme: Map<string, ACME>,
  report: PathReport,
): void {
  const at = (...rest: Path) => [...path, ...rest];
  checkUnique(listener.IPs, (i, ip) => report(at("IPs", i), `${ip} is there twice`));
  if (listener.IPsNATed && listener.NATIPs.length > 0) {
    report(at("IPsNATed"), "can't go together with NATIPs, which replaces it: remove IPsNATed");
  }
  listener.NATIPs.forEach((ip, i) => {
    if (isUnspecifiedIp(ip) || isLoopbackIp(ip)) {
      report(at("NATIPs", i), `${ip} is not a public address`);
    }
  });
  if (listener.PprofHTTP.Enabled) {
    report(at("PprofHTTP"), "profiles are not served by this program", "warning");
  }
  if (listener.SMTP.TLSSessionTicketsDisabled === true) {
    report(
      at("SMTP", "TLSSessionTicketsDisabled"),
      "the runtime hands out session tickets always: to clients that fail on them, tickets go all the same",
      "warning",
    );
  }
  const needs = tlsServices(listener);
  if (!listener.TLS) {
    if (needs.length > 0) {
      report(path, `TLS is missing, which is needed for ${needs.join(", ")}`);
    }
  } else if (listener.TLS.ACME !== "" && listener.TLS.KeyCerts.length > 0) {
    report(at("TLS"), "ACME and KeyCerts can't go together");
  } else if (listener.TLS.ACME === "" && listener.TLS.KeyCerts.length === 0) {
    report(at("TLS"), "either ACME or KeyCerts must be set");
  } else if (listener.TLS.ACME !== "" && !acme.has(listener.TLS.ACME)) {
    report(
      at("TLS", "ACME"),
      `there is no ${JSON.stringify(listener.TLS.ACME)} in ACME of this file`,
    );
  }
  for (const name of ["Submissions", "IMAPS"] as const) {
    if (listener[name].EnabledOnHTTPS && !listener.TLS) {
      report(at(name, "EnabledOnHTTPS"), "needs TLS, which is missing in the listener");
    }
  }
  if (listener.ProxyProtocol && listener.TrustedProxies.length === 0) {
    report(at("ProxyProtocol"), "needs TrustedProxies: nobody else's header is believed");
  }
  if (listener.AuthHTTP.Enabled && listener.TrustedProxies.length === 0) {
    report(at("AuthHTTP"), "needs TrustedProxies: nobody else is answered");
  }
  listener.TrustedProxies.forEach((network, i) => {
    if (network.endsWith("/0")) {
      report(at("TrustedProxies", i), `${network} is everybody: name the addresses of the proxies`);
    }
  });
  if (listener.SMTP.RequireSTARTTLS && listener.SMTP.NoSTARTTLS) {
    report(at("SMTP", "RequireSTARTTLS"), "can't go together with NoSTARTTLS");
  }
}

/** A use of a port of a listener. Uses of one port must agree in their protocol. */
interface PortUse {
  service: string;
  protocol: string;
}

/** Ports of a listener and the protocols on them. */
export function portUses(listener: Listener): Map<number, PortUse[]> {
  const uses = new Map<number, PortUse[]>();
  const add = (
    service: keyof Listener,
    s: { Enabled: boolean; Port: number },
    protocol: string,
  ) => {
    if (!s.Enabled) return;
    uses.set(s.Port, [...uses.get(s.Port) ?? [], { service, protocol }]);
  };
  add("SMTP", listener.SMTP, "SMTP");
  add("Submission", listener.Submission, "submission");
  add("Submissions", listener.Submissions, "submissions");
  add("IMAP", listener.IMAP, "IMAP");
  add("IMAPS", listener.IMAPS, "IMAPS");
  add("ManageSieve", listener.ManageSieve, "ManageSieve");
  add("POP3", listener.POP3, "POP3");
  add("POP3S", listener.POP3S, "POP3S");
  add("AccountHTTP", listener.AccountHTTP, "HTTP");
  add("AdminHTTP", listener.AdminHTTP, "HTTP");
  add("WebmailHTTP", listener.WebmailHTTP, "HTTP");
  add("WebAPIHTTP", listener.WebAPIHTTP, "HTTP");
  add("JMAPHTTP", listener.JMAPHTTP, "HTTP");
  add("DAVHTTP", listener.DAVHTTP, "HTTP");
  add("ListsHTTP", listener.ListsHTTP, "HTTP");
  add("MetricsHTTP", listener.MetricsHTTP, "HTTP");
  add("AuthHTTP", listener.AuthHTTP, "HTTP");
  add("WebserverHTTP", listener.WebserverHTTP, "HTTP");
  add("AccountHTTPS", listener.AccountHTTPS, "HTTPS");
  add("AdminHTTPS", listener.AdminHTTPS, "HTTPS");
  add("WebmailHTTPS", listener.WebmailHTTPS, "HTTPS");
  add("WebAPIHTTPS", listener.WebAPIHTTPS, "HTTPS");
  add("JMAPHTTPS", listener.JMAPHTTPS, "HTTPS");
  add("DAVHTTPS", listener.DAVHTTPS, "HTTPS");
  add("ListsHTTPS", listener.ListsHTTPS, "HTTPS");
  add("WebserverHTTPS", listener.WebserverHTTPS, "HTTPS");
  add(
    "AutoconfigHTTPS",
    listener.AutoconfigHTTPS,
    listener.AutoconfigHTTPS.NonTLS ? "HTTP" : "HTTPS",
  );
  add("MTASTSHTTPS", listener.MTASTSHTTPS, listener.MTASTSHTTPS.NonTLS ? "HTTP" : "HTTPS");
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

function checkTransport(path: Path, transport: Transport, report: PathReport): void {
  const kinds = Object.entries(transport).filter(([, v]) => v !== undefined).map(([name]) => name);
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
  if (transport.Submissions) {
    smtp("Submissions", transport.Submissions);
    for (const key of ["STARTTLSInsecureSkipVerify", "NoSTARTTLS"] as const) {
      if (transport.Submissions[key]) {
        report(
          [...path, "Submissions", key],
          "is not for Submissions, which is TLS from its start",
        );
      }
    }
  }
  if (transport.Submission) smtp("Submission", transport.Submission);
  if (transport.SMTP) smtp("SMTP", transport.SMTP);
  if (transport.Direct?.DisableIPv4 && transport.Direct.DisableIPv6) {
    report([...path, "Direct"], "with both DisableIPv4 and DisableIPv6 nothing can be delivered");
  }
  const code = transport.Fail?.SMTPCode;
  if (code !== undefined && (code < 400 || code > 599)) {
    report([...path, "Fail", "SMTPCode"], `${code} is not the code of a failure: 400 to 599`);
  }
}

/** Reports each repeated value. */
export function checkUnique(values: string[], twice: (index: number, value: string) => void): void {
  const seen = new Set<string>();
  values.forEach((value, i) => {
    if (seen.has(value)) twice(i, value);
    seen.add(value);
  });
}
