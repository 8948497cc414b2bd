/** A domain of domains.conf. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { list, map, struct } from "../sconf/schema_blocks.ts";
import { bool, duration, text, word } from "../sconf/schema_scalars.ts";
import { parseDuration } from "../sconf/duration.ts";
import { groupFilterText } from "../static/identity.ts";
import { route } from "../static/transport.ts";
import { mailingList } from "./mailing_list.ts";
import {
  addressText,
  checkLocalpart,
  domainText,
  fileText,
  localpartText,
  mailboxText,
} from "../sconf/types.ts";

const durationAsText = text(
  (s) => (parseDuration(s) ?? -1) > 0 ? undefined : "is not a duration such as 72h",
  "a duration such as 72h",
);

export const selector = struct({
  Hash: optional(
    word(["sha256", "sha1"]),
    "Hash of the signatures: sha256, or the broken sha1.",
    "sha256",
  ),
  Canonicalization: optional(
    struct({
      HeaderRelaxed: required(bool, "The signature stays valid if white space in headers changes."),
      BodyRelaxed: required(bool, "The signature stays valid if white space in the body changes."),
    }),
    "What may happen to a message on its way without breaking the signature.",
  ),
  Headers: optional(
    list(text((s) => /^[!-9;-~]+$/.test(s) ? undefined : "is not the name of a header field")),
    "Header fields that are signed. By default those that people see, that messages are related by, and those of lists.",
  ),
  DontSealHeaders: optional(
    bool,
    "Let further fields of the same names be added to a signed message. Not recommended.",
  ),
  Expiration: optional(
    durationAsText,
    "How long a signature is valid, for example 72h. It must be enough for all hops to the recipient: days.",
  ),
  PrivateKeyFile: required(
    fileText,
    "PEM file (PKCS8) with a private key of RSA or Ed25519, relative to the folder of this file.",
  ),
});
export type Selector = Infer<typeof selector>;

const reportDomainDoc =
  "Domain of the address, if it is not this one: another domain of this server. For reports about a domain " +
  "whose mail does not come here: the domain is configured but has no MX record to this server, and its " +
  "DNS record for reports names an address at a domain that does.";

const mtasts = struct({
  PolicyID: required(
    text((s) => /^[A-Za-z0-9]{1,32}$/.test(s) ? undefined : "must be 1 to 32 letters and digits"),
    "Version of the policy. After a change of the policy change it here, and then in the DNS record.",
  ),
  Mode: required(
    word(["none", "testing", "enforce"]),
    "With enforce other servers deliver with verified TLS or not at all; with testing they deliver and " +
      "report what would have failed; none takes a policy back.",
  ),
  MaxAge: required(duration, "How long others may keep the policy: one or more weeks, as in 168h."),
  MX: optional(
    list(
      text((s) => /^(?:\*\.)?[^\s*]+$/.test(s) ? undefined : "is not a host, or *. with a domain"),
    ),
    "Servers that mail for the domain may be delivered to; a name may start with *. for any one label. " +
      "By default Hostname of mox.conf.",
  ),
});

export const alias = struct({
  Addresses: required(
    list(addressText),
    "Members: addresses of accounts here, or of other servers, which messages are forwarded to (with SRS and " +
      "ARC, as for ForwardTo of accounts). A member that is a recipient of the same message anyway gets it " +
      "once, and one that is in the From header does not get it.",
  ),
  PostPublic: optional(
    bool,
    "Anybody may write to it. Otherwise only members, as told from a verified From address.",
  ),
  ListMembers: optional(bool, "Members may see who the members are."),
  AllowMsgFrom: optional(bool, "Members may send messages with this address in the From header."),
});
export type Alias = Infer<typeof alias>;

export const relay = struct({
  Transport: required(
    text(),
    "Name of the transport in mox.conf that takes the messages. It must be of a kind that has one host: LMTP, SMTP, " +
      "Submission or Submissions.",
  ),
  AllAddresses: optional(
    bool,
    "Take messages for any address, without asking the transport's server whether it has it. Reports about addresses that " +
      "it does not have then go to senders who may be forged.",
  ),
  Senders: optional(
    list(text()),
    "Accounts that may send messages from any address of the domain that belongs to nothing else here, such as the one " +
      "that Mailman logs in with.",
  ),
});
export type Relay = Infer<typeof relay>;

export const domain = struct({
  Disabled: optional(
    bool,
    "For moving a domain to or from this server. Incoming mail is refused with a temporary error (450 " +
      "4.2.1), and so is mail from users with an address of the domain (451 4.3.0). No certificates are " +
      "requested for its names. Accounts with its addresses can still log in.",
  ),
  Node: optional(text(), "The one of Nodes that has accounts with this Domain."),
  Description: optional(text(), "Free text."),
  Administrators: optional(
    list(text()),
    "Accounts that may log in to the admin page with their own address and password, and see and change this " +
      "domain there, with the accounts that have addresses of their domains only.",
  ),
  MonthlyReport: optional(
    bool,
    "After the end of each month the Administrators, or the postmaster where there are none, get a message with how " +
      "much mail the domain had, and how much room its accounts take.",
  ),
  OpenIDProvider: optional(
    text(),
    "Name of one of OpenIDProviders in mox.conf, with which users of the domain's addresses can log in.",
  ),
  LDAPDirectory: optional(
    text(),
    "Name of one of LDAPDirectories in mox.conf, which has the passwords of the domain's addresses: those of their " +
      "accounts are not asked for then, but app passwords are.",
  ),
  LDAPGroup: optional(
    groupFilterText,
    "Filter of the group in LDAPDirectory whose members have the domain's addresses, %s being the DN of the one who logs " +
      "in, and %{uid} its attribute uid: for example (&(cn=sales)(member=%s)), or (&(cn=sales)(memberUid=%{uid})). Others can't log in with an address of the domain, and no " +
      "account is made for them. It is asked for besides the directory's GroupFilter.",
  ),
  ClientSettingsDomain: optional(
    domainText,
    "Name of the mail server in the settings of users' programs, in place of Hostname, for example " +
      "mail.example.org. With a name of the domain's own, users need no new settings should the domain " +
      "move to another server.",
  ),
  LocalpartCatchallSeparator: optional(
    text(),
    'With "+", mail to you+anything@example.org goes to you@example.org.',
  ),
  LocalpartCatchallSeparators: optional(
    list(text()),
    "The same, for several separators. The first one is used for addresses with unique ids (see " +
      "FromIDLoginAddresses of accounts).",
  ),
  LocalpartCaseSensitive: optional(
    bool,
    "Upper and lower case are told apart in the part of addresses before the @.",
  ),
  DKIM: optional(
    struct({
      Selectors: required(
        map(selector, (s) => /[\s@]/.test(s) ? "is not the name of a selector" : undefined),
        "Keys to sign with, each under its name in DNS.",
      ),
      Sign: optional(list(text()), "Names of the selectors that messages are signed with."),
      RotateAfter: optional(
        duration,
        "Change keys by themselves when they are that old, for example 4320h (half a year): new ones are made and published " +
          "(by DNSProviders of mox.conf, or by the postmaster who is told), sign once they are seen, and the old ones are " +
          "withdrawn a week later. Without it keys stay until 'config dkim rotate'.",
      ),
    }),
    "With DKIM the domain signs what it sends, and so can earn itself a reputation.",
  ),
  DMARC: nullable(
    struct({
      Localpart: required(
        localpartText,
        "The part before the @ of the address for reports, in ASCII, for example dmarcreports.",
      ),
      Domain: optional(domainText, reportDomainDoc),
      Account: required(text(), "Account that the reports go to."),
      Mailbox: required(mailboxText, "Mailbox in it, for example DMARC."),
    }),
    "Address for DMARC reports: what others found about messages in the name of the domain. Reports that " +
      "arrive are read, counted in metrics, and shown at the admin page.",
  ),
  MTASTS: nullable(
    mtasts,
    "Policy that asks other servers to deliver with verified TLS. It is served by HTTPS and announced in " +
      "DNS. To change it, serve the new policy first and then change the DNS record. To get rid of one " +
      "that is enforced, serve one with mode none for longer than MaxAge before it is removed.",
  ),
  TLSRPT: nullable(
    struct({
      Localpart: required(
        localpartText,
        "The part before the @ of the address for reports, in ASCII, for example tlsreports.",
      ),
      Domain: optional(domainText, reportDomainDoc),
      Account: required(text(), "Account that the reports go to."),
      Mailbox: required(mailboxText, "Mailbox in it, for example TLSRPT."),
    }),
    "Address for TLS reports: how other servers fared with TLS when they delivered mail for the domain. " +
      "Reports that arrive are read, counted in metrics, and shown at the admin page.",
  ),
  Relay: nullable(
    relay,
    "Addresses of the domain that no account, alias or list here has belong to another server or program, which a " +
      "transport hands their mail to: Mailman behind this server, or a server that a domain moves to or from.",
  ),
  Routes: optional(
    list(route),
    "Which transport takes messages from the domain. They come after the account's and before the global " +
      "ones; the first that fits counts, and without any messages are delivered directly.",
  ),
  Journal: nullable(
    struct({
      Address: required(
        addressText,
        "Where copies go: an address of an account here, or one elsewhere.",
      ),
      Mailbox: optional(
        mailboxText,
        "Mailbox in the account, if it is here. It should be an account that nobody uses.",
        "Journal",
      ),
      KeyFile: optional(
        fileText,
        "File with an OpenPGP public key or an S/MIME certificate (RSA or EC), relative to the folder of this file: copies are " +
          "encrypted to it, and their headers are those of the journal.",
      ),
    }),
    "Keep a copy of all mail that comes for the domain or is sent from its addresses, with its envelope. The copy is on " +
      "disk before the message is taken; while none can be made, the domain's mail is refused with a temporary error.",
  ),
  Aliases: optional(
    map(alias, checkLocalpart),
    "Addresses of the domain whose mail goes to several accounts. Keys are the parts before the @.",
  ),
  Lists: optional(
    map(mailingList, checkLocalpart),
    "Mailing lists, whose members subscribe themselves by mail or on web pages. Keys are the parts before the @. A list " +
      "news has news-owner, news-request, news-subscribe, news-unsubscribe, news-confirm and news-bounces too.",
  ),
});
export type Domain = Infer<typeof domain>;

/** All separators of a domain. */
export function catchallSeparators(d: Domain): string[] {
  const one = d.LocalpartCatchallSeparator;
  return one === "" ? d.LocalpartCatchallSeparators : [...d.LocalpartCatchallSeparators, one];
}
