/** A listener of mox.conf: addresses and the services on them. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { list, struct } from "../sconf/schema_blocks.ts";
import { bool, duration, text, word } from "../sconf/schema_scalars.ts";
import {
  count,
  dnsZoneText,
  domainText,
  fileText,
  ipText,
  networkText,
  originText,
  port,
  servicePathText,
} from "../sconf/types.ts";

/** Largest message by default, in bytes. */
export const defaultMaxMessageSize = 100 * 1024 * 1024;

const keyCert = struct({
  CertFile: required(
    fileText,
    "PEM file with the certificate, followed by the intermediate certificates of its authority.",
  ),
  KeyFile: required(fileText, "PEM file with the certificate's private key: PKCS8, PKCS1 or EC."),
});

const tls = struct({
  ACME: optional(
    dnsZoneText,
    "Name of an entry in ACME above, which gets the certificates. Either this or KeyCerts.",
  ),
  KeyCerts: optional(
    list(keyCert),
    "Certificates with their keys. Which one a client gets depends on the name it asks for. The files " +
      "are read before privileges are dropped, so they may belong to root, and again when they change. " +
      "If a key stays the same when its certificate is renewed, name it in HostPrivateKeyFiles too.",
  ),
  MinVersion: optional(
    word(["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    "Oldest version of TLS that is spoken. Versions before 1.2 are broken and are not spoken here: " +
      "they count as 1.2.",
    "TLSv1.2",
  ),
  HostPrivateKeyFiles: optional(
    list(fileText),
    "PEM files with private keys that new certificates from ACME are made for, the first RSA key of 2048 " +
      "bits and the first ECDSA key of P-256. As the keys stay the same, DNS records for DANE (TLSA) can " +
      "be published for them: with these other servers verify this one without certificate authorities.",
  ),
  ClientAuthDisabled: optional(
    bool,
    "Do not ask clients for a TLS certificate to log in with. For clients that stumble over being asked.",
  ),
});
export type ListenerTLS = Infer<typeof tls>;
export type KeyCert = Infer<typeof keyCert>;

/** A web service that is served by plain HTTP or by HTTPS. */
function httpService(https: boolean, path: string) {
  return struct({
    Enabled: required(bool, "Serve it."),
    Port: optional(
      port,
      "Requests are answered if they name an IP, this listener's Hostname or localhost.",
      https ? 443 : 80,
    ),
    Path: optional(servicePathText, "Path below which it is served; it ends with a slash.", path),
    Forwarded: optional(
      bool,
      "Requests come from a reverse proxy: take the client's address (which limits are kept by) and " +
        "whether it used HTTPS from the X-Forwarded headers.",
    ),
  });
}
export type HttpService = Infer<ReturnType<typeof httpService>>;

/** JMAP, and the other sites' pages that may use it. */
function jmapService(https: boolean) {
  return struct({
    Enabled: required(bool, "Serve it."),
    Port: optional(
      port,
      "Requests are answered if they name an IP, this listener's Hostname or localhost. Programs look for " +
        "JMAP at /.well-known/jmap there.",
      https ? 443 : 80,
    ),
    Path: optional(
      servicePathText,
      "Path below which it is served; it ends with a slash.",
      "/jmap/",
    ),
    Forwarded: optional(
      bool,
      "Requests come from a reverse proxy: take the client's address (which limits are kept by), whether it " +
        "used HTTPS, and the host that it asked for from the X-Forwarded headers.",
    ),
    AllowedOrigins: optional(
      list(originText),
      "Origins of web pages that may use it, such as https://mail.example.org; with :* at the end on all " +
        "ports; * for all. Pages of other sites are refused.",
    ),
  });
}
export type JmapService = Infer<ReturnType<typeof jmapService>>;

/** Something served on a TLS port, or in clear text behind a reverse proxy. */
function wellKnownService(what: string) {
  return struct({
    Enabled: required(bool, "Serve it."),
    Port: optional(
      port,
      `Clients come for ${what} to port 443. Give another one only if something else passes their ` +
        `connections on to it.`,
      443,
    ),
    NonTLS: optional(bool, "Speak plain HTTP on the port, for use behind a reverse proxy."),
    Forwarded: optional(
      bool,
      "Requests come from a reverse proxy: take the client's address from the X-Forwarded headers.",
    ),
  });
}

function webserver(https: boolean) {
  return struct({
    Enabled: required(bool, "Serve the WebHandlers and WebDomainRedirects of domains.conf."),
    Port: optional(port, "", https ? 443 : 80),
    RateLimitDisabled: optional(bool, "Do not limit the requests to this port."),
  });
}

const greylist = struct({
  Delay: optional(duration, "How long they have to wait before they try again.", 5 * 60_000),
  Window: optional(
    duration,
    "How long after its first try a sender may come again and not wait anew.",
    2 * 24 * 3_600_000,
  ),
  Keep: optional(
    duration,
    "How long who has come again is remembered after the last message.",
    35 * 24 * 3_600_000,
  ),
});
export type Greylist = Infer<typeof greylist>;

export const listener = struct({
  IPs: optional(
    list(ipText),
    "Addresses to listen on; without any, nothing of the listener is served. 0.0.0.0 stands for all of IPv4, :: for all of IPv6. Better name the " +
      "addresses that are meant for mail: outgoing connections are then made from them only. If there " +
      "are addresses of one family only, the other one is still used for outgoing connections; a " +
      "transport of kind Direct can forbid that.",
  ),
  NATIPs: optional(
    list(ipText),
    "Public addresses, if the IPs above are internal ones behind network address translation. The checks " +
      "of DNS look at these.",
  ),
  IPsNATed: optional(
    bool,
    "Out of use, replaced by NATIPs: the IPs are not the public ones. Checks of DNS that concern them are " +
      "left out.",
  ),
  Hostname: optional(
    domainText,
    "Name of this listener, by default the global Hostname. The web services answer to it, to IPs and to " +
      "localhost.",
  ),
  TrustedProxies: optional(
    list(networkText),
    "Addresses or networks of proxies in front of this listener, such as nginx, HAProxy or Traefik. They are " +
      "believed whom they speak for: by XCLIENT (SMTP), ID (IMAP), X-Forwarded-For or Forwarded (web), and " +
      "with ProxyProtocol by its header. Limits, SPF, reputation and logs then go by the client's address, " +
      "and the proxies themselves are not limited. Nobody else is believed, also where a service has " +
      "Forwarded. List hosts that only run such proxies: who can connect from there can claim any address.",
  ),
  ProxyProtocol: optional(
    bool,
    "Connections from the TrustedProxies begin with a header of the PROXY protocol, version 1 or 2; those " +
      "without are closed. On web ports the header may be missing, as some proxies send requests with " +
      "X-Forwarded-For instead.",
  ),
  TLS: nullable(tls, "For all services on this listener that use TLS."),
  SMTPMaxMessageSize: optional(
    count,
    "Largest message that is accepted from other servers and from users, in bytes.",
    defaultMaxMessageSize,
  ),
  SMTP: optional(
    struct({
      Enabled: required(bool, "Receive mail."),
      Port: optional(port, "", 25),
      NoSTARTTLS: optional(
        bool,
        "Do not offer STARTTLS, so that mail arrives in clear text. Not recommended.",
      ),
      RequireSTARTTLS: optional(
        bool,
        "Accept messages over TLS only, apart from those to addresses for TLS reports. Goes with a policy " +
          "for MTA-STS or DANE. Servers that can't do TLS will not be able to deliver.",
      ),
      NoRequireTLS: optional(
        bool,
        "Do not offer the extension REQUIRETLS, by which a sender demands TLS for all further hops too. " +
          "For servers whose mailing lists have members without it.",
      ),
      DNSBLs: optional(
        list(dnsZoneText),
        "DNS block lists, such as sbl.spamhaus.org or bl.spamcop.net; see their terms of use. They are " +
          "asked only about senders whose history does not decide, so their operators do not hear of all " +
          "mail. A sender on any of them is refused. Each list is tried before use, at most once in four " +
          "hours. The own addresses are looked up in them from time to time too (for that alone, see " +
          "MonitorDNSBLs in domains.conf).",
      ),
      LinkDNSBLs: optional(
        list(dnsZoneText),
        "DNS block lists of domains, such as dbl.spamhaus.org or multi.surbl.org; see their terms of use. " +
          "They are asked about the domains of links in messages of unknown senders, ten of a message at " +
          "most. A message with a listed one goes to the account's Junk mailbox. A list that does not work " +
          "lists nothing.",
      ),
      FirstTimeSenderDelay: nullable(
        duration,
        "How long someone who never sent anything to an account waits for the answer to a message. " +
          "Default 15s.",
      ),
      Scanners: optional(
        list(text()),
        "Scanners of mox.conf, in their order, for messages that come in here. Not of the original.",
      ),
      Greylist: nullable(
        greylist,
        "Have senders of whom nothing is known try again before their first message is taken, once for a network, " +
          "sender and recipient. Those of whom the recipient has had mail, whose domain is known by a verified message " +
          "(DMARC), whom the recipient has written to, and forwarders and lists of rulesets, never wait. Not of the " +
          "original.",
      ),
      TLSSessionTicketsDisabled: nullable(
        bool,
        "Out of use: to withhold TLS session tickets, on which some other implementations fail. The runtime " +
          "hands them out always, and there is no way to keep it from that: true gives a warning.",
      ),
    }),
    "Mail from other servers.",
  ),
  Submission: optional(
    struct({
      Enabled: required(bool, "Take mail from users."),
      Port: optional(port, "", 587),
      NoRequireSTARTTLS: optional(
        bool,
        "Let users log in without TLS, so that their passwords can be read on the network. Not recommended.",
      ),
      Scanners: optional(
        list(text()),
        "Scanners of mox.conf, in their order, for messages that come in here. Not of the original.",
      ),
    }),
    "Mail from the users' programs, in clear text until STARTTLS. Submissions is to be preferred.",
  ),
  Submissions: optional(
    struct({
      Enabled: required(bool, "Take mail from users."),
      Port: optional(port, "", 465),
      EnabledOnHTTPS: optional(
        bool,
        "Also on the HTTPS port, to clients that ask for the protocol 'smtp' when TLS starts (ALPN). Helps " +
          "where networks let nothing but HTTPS through.",
      ),
      Scanners: optional(
        list(text()),
        "Scanners of mox.conf, in their order, for messages that come in here. Not of the original.",
      ),
    }),
    "Mail from the users' programs, over TLS. Needs TLS.",
  ),
  IMAP: optional(
    struct({
      Enabled: required(bool, "Give access to mailboxes."),
      Port: optional(port, "", 143),
      NoRequireSTARTTLS: optional(
        bool,
        "Let users log in without TLS. Only where connections are protected otherwise, as in a VPN.",
      ),
    }),
    "Mailboxes for the users' programs, in clear text until STARTTLS. IMAPS is to be preferred.",
  ),
  IMAPS: optional(
    struct({
      Enabled: required(bool, "Give access to mailboxes."),
      Port: optional(port, "", 993),
      EnabledOnHTTPS: optional(
        bool,
        "Also on the HTTPS port, to clients that ask for the protocol 'imap' when TLS starts (ALPN).",
      ),
    }),
    "Mailboxes for the users' programs, over TLS. Needs TLS.",
  ),
  POP3: optional(
    struct({
      Enabled: required(bool, "Give access to the Inbox by POP3."),
      Port: optional(port, "", 110),
      NoRequireSTARTTLS: optional(
        bool,
        "Let users log in without TLS. Only where connections are protected otherwise, as in a VPN.",
      ),
    }),
    "The Inbox for programs that have nothing but POP3, in clear text until STLS. POP3S is to be preferred.",
  ),
  POP3S: optional(
    struct({
      Enabled: required(bool, "Give access to the Inbox by POP3."),
      Port: optional(port, "", 995),
    }),
    "The Inbox for programs that have nothing but POP3, over TLS. Needs TLS.",
  ),
  ManageSieve: optional(
    struct({
      Enabled: required(
        bool,
        "Let users' programs store and choose Sieve scripts, which sort their mail.",
      ),
      Port: optional(port, "", 4190),
      NoRequireSTARTTLS: optional(
        bool,
        "Let users log in without TLS. Only where connections are protected otherwise, as in a VPN.",
      ),
    }),
    "Sieve scripts of users (ManageSieve), in clear text until STARTTLS, as all programs for it expect.",
  ),
  AccountHTTP: optional(
    httpService(false, "/"),
    "Page where users change their password, addresses, rules and the like, by plain HTTP.",
  ),
  AccountHTTPS: optional(httpService(true, "/"), "The same by HTTPS. Needs TLS."),
  AdminHTTP: optional(
    httpService(false, "/admin/"),
    "Page for the administrator, by plain HTTP. Best on addresses that are not public: reach it through a " +
      "VPN, or with 'ssh -L 8080:localhost:80 you@yourserver' at http://localhost:8080/admin/.",
  ),
  AdminHTTPS: optional(httpService(true, "/admin/"), "The same by HTTPS. Needs TLS."),
  WebmailHTTP: optional(
    httpService(false, "/webmail/"),
    "Mail program in the browser, by plain HTTP.",
  ),
  WebmailHTTPS: optional(httpService(true, "/webmail/"), "The same by HTTPS. Needs TLS."),
  WebAPIHTTP: optional(
    httpService(false, "/webapi/"),
    "Interface by which programs send and get mail with JSON, by plain HTTP.",
  ),
  WebAPIHTTPS: optional(httpService(true, "/webapi/"), "The same by HTTPS. Needs TLS."),
  JMAPHTTP: optional(
    jmapService(false),
    "Mailboxes and sending for the users' programs by JMAP, by plain HTTP.",
  ),
  JMAPHTTPS: optional(jmapService(true), "The same by HTTPS. Needs TLS."),
  DAVHTTP: optional(
    httpService(false, "/dav/"),
    "Address books and calendars for the users' programs by CardDAV and CalDAV, by plain HTTP. Programs look " +
      "for them at /.well-known/carddav and /.well-known/caldav there.",
  ),
  DAVHTTPS: optional(httpService(true, "/dav/"), "The same by HTTPS. Needs TLS."),
  ListsHTTP: optional(
    httpService(false, "/lists/"),
    "Pages of mailing lists, for everybody: subscribing, leaving, archives, held messages. By plain HTTP.",
  ),
  ListsHTTPS: optional(
    httpService(true, "/lists/"),
    "The same by HTTPS. Needs TLS. Messages of lists then have links to it, for leaving with one click (RFC 8058).",
  ),
  MetricsHTTP: optional(
    struct({
      Enabled: required(bool, "Serve it."),
      Port: optional(port, "", 8010),
    }),
    "Metrics for Prometheus at /metrics; /health answers while the process does, and /ready while it can take mail (503 " +
      "otherwise). Not for public addresses.",
  ),
  AuthHTTP: optional(
    struct({
      Enabled: required(bool, "Serve it."),
      Port: optional(port, "", 8012),
    }),
    "Answers nginx's mail proxy (auth_http), by plain HTTP: whether a login is good, and which of the Nodes has " +
      "the account. Answers the TrustedProxies only.",
  ),
  PprofHTTP: optional(
    struct({
      Enabled: required(bool, "Serve it."),
      Port: optional(port, "", 8011),
    }),
    "Out of use: profiles of the running server, in the original. Enabled, it gives a warning.",
  ),
  AutoconfigHTTPS: optional(
    wellKnownService("automatic configuration"),
    "Settings for mail programs, so that an address and a password are all that a user types: autoconfig, " +
      "autodiscover and profiles for Apple's. Needs TLS.",
  ),
  MTASTSHTTPS: optional(
    wellKnownService("MTA-STS policies"),
    "Policies by which other servers know that mail to the domains needs TLS (MTA-STS). Needs TLS.",
  ),
  WebserverHTTP: optional(webserver(false), "Web server for WebHandlers, by plain HTTP."),
  WebserverHTTPS: optional(
    webserver(true),
    "Web server for WebHandlers, by HTTPS. The certificates for their domains come from ACME, or must all " +
      "be among the KeyCerts.",
  ),
});
export type Listener = Infer<typeof listener>;

/** How long first-time senders wait, in ms. */
export function firstTimeSenderDelay(l: Listener): number {
  return l.SMTP.FirstTimeSenderDelay ?? 15_000;
}
