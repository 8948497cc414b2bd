/** Ways to deliver outgoing messages, and the routes that choose one. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { list, struct } from "../sconf/schema_blocks.ts";
import { bool, int, text, word } from "../sconf/schema_scalars.ts";
import { domainText, hostText, ipText, port } from "../sconf/types.ts";

/** Mechanisms that a transport may log in with, those tried by default first. */
export const transportMechanisms = [
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-1",
  "CRAM-MD5",
  "PLAIN",
] as const;

const smtpAuth = struct({
  Username: required(text(), "Name to log in with."),
  Password: required(text(), "Password to log in with."),
  Mechanisms: optional(
    list(word(transportMechanisms)),
    "Mechanisms that may be used, best first. By default SCRAM-SHA-256-PLUS, SCRAM-SHA-256, " +
      "SCRAM-SHA-1-PLUS, SCRAM-SHA-1 and CRAM-MD5; PLAIN only if it is listed. Listing just the " +
      "strongest one that the server is known to have keeps an attacker from making both sides fall " +
      "back to a weaker one.",
  ),
});

const smtpTransport = struct({
  Host: required(
    domainText,
    "Host to connect to. Its TLS certificate must be for this name.",
  ),
  Port: optional(
    port,
    "Port to connect to. Without it 465 for Submissions, 587 for Submission and 25 for SMTP.",
  ),
  STARTTLSInsecureSkipVerify: optional(
    bool,
    "Accept a certificate that can't be verified after STARTTLS.",
  ),
  NoSTARTTLS: optional(
    bool,
    "Do not use STARTTLS even where it is offered, so that login and messages go over the network in " +
      "clear text. For Submission and SMTP.",
  ),
  Auth: nullable(
    smtpAuth,
    "Login at the remote server. Without it messages are handed over without.",
  ),
});

const lmtpTransport = struct({
  Host: required(
    hostText,
    "Host to connect to, a name or an address such as 127.0.0.1. A TLS certificate must be for this name.",
  ),
  Port: optional(
    port,
    "Port to connect to, by default 24. Dovecot's inet_listener often has 24, Mailman 8024.",
    24,
  ),
  STARTTLSInsecureSkipVerify: optional(
    bool,
    "Accept a certificate that can't be verified after STARTTLS.",
  ),
  NoSTARTTLS: optional(
    bool,
    "Do not use STARTTLS even where it is offered, so that messages go over the network in clear text. To this machine " +
      "(127.0.0.1, ::1) it is never used.",
  ),
});

const socksTransport = struct({
  Address: required(text(checkHostPort, "host:port"), "Address of the SOCKS5 proxy, as host:port."),
  RemoteIPs: required(
    list(ipText),
    "IP addresses from which the proxy connects to other mail servers. They belong into the domain's " +
      "SPF record, and their reverse DNS names should be RemoteHostname.",
  ),
  RemoteHostname: required(
    domainText,
    "Name of those IP addresses. It is what this server calls itself (EHLO) over the proxy.",
  ),
});

function checkHostPort(s: string): string | undefined {
  const m = /^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):([0-9]{1,5})$/.exec(s);
  const n = m ? Number(m[1]) : 0;
  return n > 0 && n < 65536 ? undefined : "is not of the form host:port";
}

const directTransport = struct({
  DisableIPv4: optional(bool, "Never connect to an IPv4 address of another server."),
  DisableIPv6: optional(bool, "Never connect to an IPv6 address of another server."),
});

const failTransport = struct({
  SMTPCode: optional(
    int(0, 599),
    "SMTP code of the failure; a 4xx code makes it temporary, so that the message is tried again.",
    554,
  ),
  SMTPMessage: optional(
    text(),
    "Text of the failure. The sender finds it in the report of the failure.",
  ),
});

export const transport = struct({
  Submissions: nullable(
    smtpTransport,
    "Hand messages to another server's submission service, over a connection that is TLS from its start.",
  ),
  Submission: nullable(
    smtpTransport,
    "Hand messages to another server's submission service, over a connection that starts in clear text " +
      "and turns to TLS with STARTTLS.",
  ),
  SMTP: nullable(
    smtpTransport,
    "Hand messages to another server by plain SMTP (with STARTTLS if it is offered), usually one that " +
      "relays for this machine's address without a login.",
  ),
  LMTP: nullable(
    lmtpTransport,
    "Hand messages to a program that stores or distributes them, by LMTP: Mailman, Dovecot, Cyrus. It answers for each " +
      "recipient. A domain whose addresses it has names the transport in Relay, in domains.conf.",
  ),
  Socks: nullable(
    socksTransport,
    "Deliver directly to the servers of the recipients' domains, but connect to them through a proxy.",
  ),
  Direct: nullable(
    directTransport,
    "Deliver directly to the servers of the recipients' domains, with settings for the connections.",
  ),
  Fail: nullable(failTransport, "Refuse each delivery at once."),
});
export type Transport = Infer<typeof transport>;
export type TransportSMTP = Infer<typeof smtpTransport>;
export type TransportLMTP = Infer<typeof lmtpTransport>;
export type TransportSocks = Infer<typeof socksTransport>;

/** Transports that hand messages to a specific host. */
export const hostTransports = ["Submissions", "Submission", "SMTP", "LMTP"] as const;
export type HostTransport = typeof hostTransports[number];

/** Port of a transport to a host. */
export function transportPort(kind: HostTransport, t: TransportSMTP | TransportLMTP): number {
  return t.Port || { Submissions: 465, Submission: 587, SMTP: 25, LMTP: 24 }[kind];
}

const routeDomain = text((s) => {
  const name = s.startsWith(".") ? s.slice(1) : s;
  if (name === "" && s !== ".") return "is not a domain";
  return name !== "" && /[\s@:/]/.test(name) ? "is not a domain" : undefined;
}, "a domain");

export const route = struct({
  FromDomain: optional(
    list(routeDomain),
    "Domains of the sender's address (the SMTP one) for which the route is. A name with a dot before it " +
      "stands for the subdomains. Without a list it is for all senders.",
  ),
  ToDomain: optional(
    list(routeDomain),
    "Domains of the recipient for which the route is, written as in FromDomain.",
  ),
  MinimumAttempts: optional(
    int(0, 1000),
    "The route counts only once delivery was tried this many times, for example to fall back to a relay " +
      "where direct delivery does not succeed.",
  ),
  Transport: required(text(), "Name of the transport in mox.conf that takes the messages."),
});
export type Route = Infer<typeof route>;
