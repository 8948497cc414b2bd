/** The configuration of a new server, written by quickstart. @module */
import {
  type Dynamic,
  dynamicConfig,
  type Listener,
  listener,
  type ListenerTLS,
  type Static,
  staticConfig,
} from "../config/mod.ts";
import type { Domain as DomainName } from "../config/names.ts";

/** Options of a new server. */
export interface NewServer {
  /** Name of this machine. */
  hostname: DomainName;
  /** Addresses to listen on for mail. */
  ips: string[];
  /** Public addresses, if `ips` are behind NAT. */
  natIps: string[];
  /** Addresses for the pages available only on this machine. */
  internalIps: string[];
  /** User that the server runs as. */
  user: string;
  account: string;
  /** Its address, also for messages from the ACME authority. */
  address: string;
  /** Another web server uses ports 80 and 443. */
  existingWebserver: boolean;
  /** Added to each port, for trying it without privileges. */
  portOffset: number;
  /** Files, relative to the configuration's folder. */
  files: {
    adminPassword: string;
    hostKeys: string[];
    certificate?: { CertFile: string; KeyFile: string };
  };
  /** Block lists in which to look up our own addresses. */
  monitorDnsbls: string[];
}

/** Ports of internal and proxied HTTP services if there is another web server. */
const proxiedPorts = { internal: 1080, public: 81 };

/** The values of mox.conf. */
export function newStatic(server: NewServer): Static {
  const acme = server.files.certificate === undefined;
  return {
    ...staticConfig.zero(),
    DataDir: "../data",
    LogLevel: "info",
    User: server.user,
    Hostname: server.hostname.unicode,
    AdminPasswordFile: server.files.adminPassword,
    ACME: acme
      ? new Map([["letsencrypt", {
        DirectoryURL: "https://acme-v02.api.letsencrypt.org/directory",
        RenewBefore: 30 * 24 * 3_600_000,
        ContactEmail: server.address,
        Port: 443 + server.portOffset,
        IssuerDomainName: "letsencrypt.org",
        ExternalAccountBinding: undefined,
        DNS01: false,
      }]])
      : new Map(),
    Listeners: new Map([
      ["internal", internalListener(server)],
      ["public", publicListener(server)],
    ]),
    WatchDNS: true,
    Postmaster: { Account: server.account, Mailbox: "Postmaster" },
    HostTLSRPT: { Account: server.account, Mailbox: "TLSRPT", Localpart: "tlsreports" },
    InitialMailboxes: {
      SpecialUse: {
        Sent: "Sent",
        Archive: "Archive",
        Trash: "Trash",
        Draft: "Drafts",
        Junk: "Junk",
      },
      Regular: [],
    },
  };
}

/** Pages for users and the administrator, and metrics, for this machine only. */
function internalListener(server: NewServer): Listener {
  const zero = listener.zero();
  const port = (server.existingWebserver ? proxiedPorts.internal : 80) + server.portOffset;
  const page = { Enabled: true, Port: port, Forwarded: server.existingWebserver };
  return {
    ...zero,
    IPs: server.internalIps,
    Hostname: "localhost",
    AccountHTTP: { ...zero.AccountHTTP, ...page },
    AdminHTTP: { ...zero.AdminHTTP, ...page },
    WebmailHTTP: { ...zero.WebmailHTTP, ...page },
    WebAPIHTTP: { ...zero.WebAPIHTTP, ...page },
    JMAPHTTP: { ...zero.JMAPHTTP, ...page },
    DAVHTTP: { ...zero.DAVHTTP, ...page },
    MetricsHTTP: { Enabled: true, Port: 8010 + server.portOffset },
    // The other web server passes on requests for the mail server, without TLS.
    ...(server.existingWebserver
      ? {
        AutoconfigHTTPS: {
          Enabled: true,
          Port: proxiedPorts.public + server.portOffset,
          NonTLS: true,
          Forwarded: true,
        },
        MTASTSHTTPS: {
          Enabled: true,
          Port: proxiedPorts.public + server.portOffset,
          NonTLS: true,
          Forwarded: true,
        },
      }
      : {}),
  };
}

/** Mail, and public pages. */
function publicListener(server: NewServer): Listener {
  const zero = listener.zero();
  const at = (port: number) => ({ Enabled: true, Port: port + server.portOffset });
  const tls: ListenerTLS = {
    ACME: server.files.certificate === undefined ? "letsencrypt" : "",
    KeyCerts: server.files.certificate === undefined ? [] : [server.files.certificate],
    MinVersion: "TLSv1.2",
    HostPrivateKeyFiles: server.files.hostKeys,
    ClientAuthDisabled: false,
  };
  const web = server.existingWebserver ? {} : {
    AutoconfigHTTPS: { ...zero.AutoconfigHTTPS, ...at(443) },
    MTASTSHTTPS: { ...zero.MTASTSHTTPS, ...at(443) },
    JMAPHTTPS: { ...zero.JMAPHTTPS, ...at(443) },
    DAVHTTPS: { ...zero.DAVHTTPS, ...at(443) },
    ListsHTTPS: { ...zero.ListsHTTPS, ...at(443) },
    WebserverHTTP: { ...zero.WebserverHTTP, ...at(80) },
    WebserverHTTPS: { ...zero.WebserverHTTPS, ...at(443) },
  };
  return {
    ...zero,
    IPs: server.ips,
    NATIPs: server.natIps,
    TLS: tls,
    SMTP: { ...zero.SMTP, ...at(25) },
    Submissions: {
      ...zero.Submissions,
      ...at(465),
      EnabledOnHTTPS: !server.existingWebserver,
    },
    IMAPS: { ...zero.IMAPS, ...at(993), EnabledOnHTTPS: !server.existingWebserver },
    ManageSieve: { ...zero.ManageSieve, ...at(4190) },
    ...web,
  };
}

/** The values of domains.conf, with an existing domain and account. */
export function newDynamic(
  server: NewServer,
  domain: [string, Dynamic["Domains"] extends Map<string, infer D> ? D : never],
  account: [string, Dynamic["Accounts"] extends Map<string, infer A> ? A : never],
): Dynamic {
  return {
    ...dynamicConfig.zero(),
    Domains: new Map([domain]),
    Accounts: new Map([account]),
    MonitorDNSBLs: server.monitorDnsbls,
  };
}
