/** mox.conf: settings that are fixed while the server runs. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { list, map, struct } from "../sconf/schema_blocks.ts";
import { bool, duration, int, text, word } from "../sconf/schema_scalars.ts";
import { ldapDirectory, openIdProvider } from "./identity.ts";
import { dnsProvider } from "./dns_provider.ts";
import { listener } from "./listener.ts";
import { scanner } from "./scanner.ts";
import { transport } from "./transport.ts";
import {
  addressText,
  domainText,
  fileText,
  httpUrlText,
  localpartText,
  mailboxText,
  networkText,
  port,
  retentionDays,
  unicodeDomainText,
} from "../sconf/types.ts";

/** As in src/log. */
const logFormats = ["logfmt", "json"] as const;

/** Levels of the log, as in the configuration. */
const logLevels = ["error", "warn", "info", "debug", "trace", "traceauth", "tracedata"] as const;

const acme = struct({
  DirectoryURL: required(
    httpUrlText,
    "Where the authority's service is found; for Let's Encrypt https://acme-v02.api.letsencrypt.org/directory.",
  ),
  RenewBefore: optional(
    duration,
    "How long before a certificate ends it is renewed.",
    30 * 24 * 3_600_000,
  ),
  ContactEmail: required(
    addressText,
    "Address that the authority may write to, about certificates that end soon for instance. If it is on " +
      "this server, remember that a broken certificate can also keep such mail from arriving.",
  ),
  Port: optional(
    port,
    "Port on which the authority's proof of control by TLS (tls-alpn-01) is answered. The authority " +
      "connects to port 443, so with another one these connections must be passed on to it unchanged; an " +
      "HTTPS proxy does not do.",
    443,
  ),
  IssuerDomainName: optional(
    domainText,
    "Name of the authority in CAA records, for the suggested DNS records that restrict who may issue " +
      "certificates for the domains. Known by itself for Let's Encrypt.",
  ),
  ExternalAccountBinding: nullable(
    struct({
      KeyID: required(text(), "Id of the key, from the authority."),
      KeyFile: required(
        fileText,
        "File with the key in base64url, relative to the folder of mox.conf.",
      ),
    }),
    "Some authorities want a new ACME account to be bound to an account at their site.",
  ),
  DNS01: optional(
    bool,
    "Show control of names in zones of DNSProviders by records there (dns-01), so that no port has to be reached from " +
      "outside. Other names are shown as without this.",
  ),
});
export type ACME = Infer<typeof acme>;

const specialUse = struct({
  Sent: optional(mailboxText, "For messages that were sent."),
  Archive: optional(mailboxText, "For messages that are done with."),
  Trash: optional(mailboxText, "For messages that were deleted."),
  Draft: optional(mailboxText, "For messages that are being written."),
  Junk: optional(mailboxText, "For unwanted messages."),
});
export type SpecialUseMailboxes = Infer<typeof specialUse>;

/** Keys at the top of domains.conf. */
const dynamicKeys = [
  "Domains",
  "Accounts",
  "WebDomainRedirects",
  "WebHandlers",
  "Routes",
  "MonitorDNSBLs",
];

export const staticConfig = struct({
  DataDir: required(
    fileText,
    "Folder of all data: accounts with their messages, the queue, certificates from ACME. Relative paths " +
      "start at the folder of mox.conf.",
  ),
  LogLevel: required(
    word(logLevels),
    "How much is logged: error, warn, info, debug, trace, traceauth or tracedata. From trace on the log " +
      "has the lines of SMTP and IMAP connections, with traceauth also those with passwords, with " +
      "tracedata also whole messages, which can be very much.",
  ),
  LogFormat: optional(
    word(logFormats),
    "How lines of the log are written: logfmt (also without this), or json, each line an object with time, " +
      "level, msg, pkg and its fields. Not of the original.",
  ),
  PackageLogLevels: optional(
    map(word(logLevels)),
    "Other levels for single packages, such as smtpserver, imapserver, queue, smtpclient, store, junk, " +
      "spf, dkim, dmarc, mtasts, tlsrpt, webserver, webmail.",
  ),
  User: optional(
    text(),
    "User that the server becomes once it listens, if it was started as root: a name, or a number that " +
      "is taken for the ids of both user and group.",
    "mox",
  ),
  NoFixPermissions: optional(
    bool,
    "Leave owners and permissions of files alone. Otherwise, at a start as root, the configuration and data " +
      "folders and the program are given the owner and permissions they should have.",
  ),
  NoCRAMMD5: optional(
    bool,
    "Don't offer CRAM-MD5, and keep nothing for it: what it checks with is as good as the password for whoever " +
      "steals it and logs in with CRAM-MD5. What is kept already is removed. Mail programs use SCRAM or PLAIN over " +
      "TLS then.",
  ),
  Hostname: required(
    unicodeDomainText,
    "Full name of this machine, such as mail.example.org. It is the name in SMTP and in MX records.",
  ),
  CheckUpdates: optional(
    bool,
    "Look once a day whether there is a new version, and if so tell the postmaster, once for each version. Off " +
      "by default. Nobody but the DNS of CheckUpdatesDomain learns of the question.",
  ),
  CheckUpdatesDomain: optional(
    domainText,
    'Domain in which CheckUpdates looks: the TXT record of _updates in it, such as "v=UPDATES0; l=0.2.0", ' +
      "names the latest version. Without one nothing is asked: no domain is built in.",
  ),
  Pedantic: optional(
    bool,
    "Refuse violations of the protocols that others commit in practice and that are accepted otherwise: in SMTP " +
      "names with underscores, a space after MAIL FROM:, localparts over 64 bytes, lines over 998 bytes, 8-bit text that was " +
      "not announced; in IMAP lines that end in LF alone.",
  ),
  TLS: optional(
    struct({
      CA: nullable(
        struct({
          AdditionalToSystem: optional(bool, "Trust those of the operating system as well."),
          CertFiles: optional(list(fileText), "PEM files with certificates of authorities."),
        }),
        "Certificate authorities that are trusted.",
      ),
    }),
    "TLS of outgoing connections, by SMTP and HTTPS.",
  ),
  ACME: optional(
    map(acme),
    "Authorities that issue certificates automatically. The keys are names of choice, such as " +
      "letsencrypt, by which a listener's TLS refers to them.",
  ),
  AdminPasswordFile: optional(
    fileText,
    "File with the hash of the administrator's password. Without it nobody can log in at the admin page.",
  ),
  Listeners: required(
    map(listener),
    "Groups of addresses with the services on them: mail for the world, pages for the administrator, " +
      "metrics. Each listener serves all domains. Some checks, of certificates and of block lists, look at " +
      "the one that is called 'public'.",
  ),
  Postmaster: required(
    struct({
      Account: required(text(), "Account that the mail goes to."),
      Mailbox: required(mailboxText, "Mailbox in it, for example Postmaster or Inbox."),
    }),
    "Where mail for postmaster goes: without a domain, at Hostname and the listeners' names, and at each " +
      "domain that has no such address itself.",
  ),
  HostTLSRPT: nullable(
    struct({
      Account: required(text(), "Account that the reports go to, mostly the postmaster's."),
      Mailbox: required(mailboxText, "Mailbox in it, for example TLSRPT."),
      Localpart: required(
        localpartText,
        "The part before the @ of the address at Hostname, for example tlsreports.",
      ),
    }),
    "Reports of other servers about TLS with this host, as DANE has them (RFC 8460). Those for domains are " +
      "set up in domains.conf. Without this the suggested DNS records ask for none.",
  ),
  InitialMailboxes: optional(
    struct({
      SpecialUse: optional(
        specialUse,
        "Names of the mailboxes with a special use, which mail programs find by that use and not by name.",
      ),
      Regular: optional(list(mailboxText), "Other mailboxes."),
    }),
    "Mailboxes of a new account, besides the Inbox. Without any of them: Sent, Archive, Trash, Drafts and " +
      "Junk, each with its special use.",
  ),
  DefaultMailboxes: optional(
    list(mailboxText),
    "Out of use, replaced by InitialMailboxes: mailboxes of a new account, besides the Inbox.",
  ),
  Node: optional(
    text(),
    "Which of the Nodes of domains.conf this server is. It then has the accounts of that node only.",
  ),
  DNSProviders: optional(
    map(dnsProvider),
    "Who writes records into zones, by names of choice: for proofs of control (DNS01 of ACME), 'config dns write', and " +
      "changes of DKIM keys.",
  ),
  WatchDNS: optional(
    bool,
    "Look every three hours at reverse names, block lists, DANE and the records of the domains, and tell the postmaster " +
      "when something breaks, and when it is well again.",
  ),
  Transports: optional(
    map(transport),
    "Ways to deliver outgoing messages, which Routes choose from. Without them messages go directly to the " +
      "servers of the recipients' domains. Each transport is of one kind, or of none, which is direct " +
      "delivery. Who delivers for a domain must be in its SPF record.",
  ),
  OpenIDProviders: optional(
    map(openIdProvider),
    "Providers of logins by OpenID Connect, which OpenIDProvider of domains chooses from. Not of the original.",
  ),
  LDAPDirectories: optional(
    map(ldapDirectory),
    "Directories with users and their passwords, which LDAPDirectory of domains chooses from. Not of the original.",
  ),
  Scanners: optional(
    map(scanner),
    "Other programs that look at messages, which Scanners of SMTP, Submission and Submissions of listeners, and " +
      "OutgoingScanners, choose from. Each is of one kind. Not of the original.",
  ),
  OutgoingScanners: optional(
    list(text()),
    "Scanners, in their order, for all mail of users whichever way they send it: by submission after those of the " +
      "listener, in the webmail, by JMAP and the web API, and by programs of this machine. Not of the original.",
  ),
  NoOutgoingDMARCReports: optional(
    bool,
    "Do not send DMARC reports. Otherwise domains that ask for them get a summary of what was found about " +
      "messages in their name, at most hourly and at least daily, at whole hours, from postmaster at Hostname.",
  ),
  NoOutgoingTLSReports: optional(
    bool,
    "Do not send TLS reports. Otherwise domains that ask for them are told daily about failures of TLS with " +
      "their servers, from the postmaster of the domain that Hostname is in; none if there is no such domain " +
      "or it does not sign by DKIM.",
  ),
  OutgoingTLSReportsForAllSuccess: optional(
    bool,
    "Send TLS reports also where all went well.",
  ),
  AllowedUserNetworks: optional(
    list(networkText),
    "Networks like 10.0.0.0/8, or addresses, that this server may connect to because a user asks for it: by " +
      "webhooks, imports from IMAP servers, mail and its policies. Others that are not on the internet " +
      "(loopback, private and link-local ones, and those of this machine) are refused, as what is there may " +
      "trust whoever is near. Name those where receivers of webhooks run. Mail is delivered to private " +
      "networks without this. Not of the original.",
  ),
  QuotaMessageSize: optional(
    int(0),
    "Most bytes of messages that an account may hold, unless the account says otherwise; 0 is no limit. " +
      "What would exceed it is refused. The database, some 15% of the size, does not count.",
  ),
  QuotaMessages: optional(
    int(0),
    "Most messages that an account may hold in all its mailboxes, unless the account says otherwise; 0 is no limit. " +
      "Not of the original.",
  ),
  QuotaMailboxes: optional(
    int(0),
    "Most mailboxes that a user may have, Inbox among them, unless the account says otherwise; 0 is no limit. Mailboxes " +
      "that the server makes for mail that arrives are made all the same. Not of the original.",
  ),
  Retention: optional(
    retentionDays,
    "Days after which messages are removed from a mailbox for good, counted from when they came into it. Keys are names " +
      "of mailboxes or special uses: \\\\Trash, \\\\Junk, \\\\Sent, \\\\Drafts, \\\\Archive; a name comes before a special use. 0 is " +
      "for ever, as for those that are not here. Accounts can have other days.",
  ),
  NoQuotaWarnings: optional(
    bool,
    "Send users no messages when 80 and 95 % of their QuotaMessageSize are used, and when it is full.",
  ),
}, (key) => dynamicKeys.includes(key) ? "domains.conf" : undefined);

/** The values of mox.conf. */
export type Static = Infer<typeof staticConfig>;
