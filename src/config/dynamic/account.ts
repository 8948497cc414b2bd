/** An account of domains.conf. @module */
import { type Infer, nullable, optional, present, required } from "../sconf/schema.ts";
import { list, map, struct } from "../sconf/schema_blocks.ts";
import { bool, duration, float, int, text, word } from "../sconf/schema_scalars.ts";
import { route } from "../static/transport.ts";
import {
  addressText,
  answerText,
  checkAnswer,
  checkRegexp,
  count,
  domainText,
  httpUrlText,
  mailboxText,
  regexpText,
  retentionDays,
  unicodeDomainText,
} from "../sconf/types.ts";

/** Events of outgoing messages that a webhook can be called for. */
export const outgoingWebhookEvents = [
  "delivered",
  "suppressed",
  "delayed",
  "failed",
  "relayed",
  "expanded",
  "canceled",
  "unrecognized",
] as const;

const authorization = optional(
  text(),
  "Value of the header Authorization in the requests.",
);

const checkLowerCase = (s: string) => s === s.toLowerCase() ? undefined : "must be in lower case";
const lowerCaseRegexps = map(
  text((s) => checkLowerCase(s) ?? checkRegexp(s), "a regular expression"),
  (s) => checkLowerCase(s) ?? checkRegexp(s),
);

const ruleset = struct({
  SMTPMailFromRegexp: optional(
    regexpText,
    "Fits if it matches in the sender's address of the SMTP transaction, for example " +
      "^user@example\\.org$.",
  ),
  MsgFromRegexp: optional(
    regexpText,
    "Fits if it matches in the address of the From header, if that has a single one.",
  ),
  VerifiedDomain: optional(
    domainText,
    "Fits if SPF or DKIM verified this domain or a subdomain of it.",
  ),
  HeadersRegexp: optional(
    lowerCaseRegexps,
    "Fits if for each pair of expressions there is a header field whose name the key matches and whose " +
      "value the value matches, both in lower case and without white space around. For a mailing list: " +
      "^list-id$ with <name\\.lists\\.example\\.org>.",
  ),
  IsForward: optional(
    bool,
    "Does not decide whether the ruleset fits. The messages were forwarded by another server, whose sender " +
      "addresses SMTPMailFromRegexp matches and which VerifiedDomain names; both must be set. They are " +
      "not refused for failing DMARC, and neither the forwarding server's address nor its domains count " +
      "for the reputation of future messages, as they say nothing of the sender.",
  ),
  ListAllowDomain: optional(
    domainText,
    "Does not decide whether the ruleset fits. If SPF or DKIM verified this domain or a subdomain of it, the " +
      "message is accepted without further looks for junk and without DMARC: mailing lists do that " +
      "themselves, and unsubscribe those who refuse messages.",
  ),
  AcceptRejectsToMailbox: optional(
    mailboxText,
    "Does not decide whether the ruleset fits. What would be refused as junk is accepted and put into this " +
      "mailbox, which is not emptied by itself unless it is RejectsMailbox.",
  ),
  Mailbox: required(mailboxText, "Mailbox for messages that the ruleset fits."),
  Comment: optional(text(), "Free text."),
});
export type Ruleset = Infer<typeof ruleset>;

const smtpErrorText = text((s) =>
  /^(?:421|550)(?: |$)/.test(s) ? checkAnswer(s) : "must start with 421 or 550"
);

export const destination = struct({
  Mailbox: optional(
    mailboxText,
    "Mailbox for messages that no ruleset fits.",
    "Inbox",
  ),
  Rulesets: optional(
    list(ruleset),
    "Rules that put messages into other mailboxes; the first that fits counts. All conditions of one must " +
      "hold.",
  ),
  SMTPError: optional(
    smtpErrorText,
    "Refuse messages to this address at RCPT TO: 421 (for now) or 550 (no such user), which may be followed " +
      "by a text of your own. Of use for single addresses of a domain with a catch-all.",
  ),
  MessageAuthRequiredSMTPError: optional(
    answerText,
    "Refuse messages in which neither SPF nor DKIM verifies the domain of the From header, with this text. " +
      "Domains are compared as the sender's DMARC policy says, otherwise by organisation. For programs " +
      "that answer mail, and should not answer forgeries.",
  ),
  FullName: optional(
    text(),
    "Name in the From header of messages that are sent with this address in the webmail.",
  ),
});
export type Destination = Infer<typeof destination>;

const junkFilter = struct({
  Threshold: required(
    float(0, 1),
    "Probability of being junk above which a message goes to the Junk mailbox, for example 0.9. A little " +
      "chance is added for each message, so that spammers can't feel their way to words that let them pass.",
  ),
  RefuseThreshold: optional(
    float(0, 1),
    "Probability of being junk above which a message is refused and kept in Rejects only, by default 0.9999. " +
      "As Threshold, or less, to refuse all junk, as is done for accounts without a Junk mailbox; 1 to " +
      "refuse none for its content.",
    0.9999,
  ),
  Params: required(
    struct({
      Onegrams: optional(bool, "Learn single words."),
      Twograms: optional(bool, "Learn pairs of words in a row."),
      Threegrams: optional(bool, "Learn three words in a row."),
      MaxPower: required(
        float(0, 0.5),
        "How close to 0 and 1 the probability of a word can get: with 0.01 it is from 0.01 to 0.99.",
      ),
      TopWords: required(
        int(0, 1000),
        "How many of the most telling words on each side are named in the header, for example 10.",
      ),
      IgnoreWords: optional(
        float(0, 0.5),
        "Words count only if their probability is further than this from 0.5. With 0.1 those from 0.4 to 0.6 " +
          "do not.",
      ),
      RareWords: optional(
        int(0, 1_000_000),
        "Words that were seen this often or less count less, for example 1 or 2.",
      ),
    }),
    "Settings of the filter. After a change, 'mox retrain' builds it anew.",
  ),
});
export type JunkFilter = Infer<typeof junkFilter>;
export type JunkFilterParams = JunkFilter["Params"];

export const account = struct({
  OutgoingWebhook: nullable(
    struct({
      URL: required(httpUrlText, "URL that gets the POST requests."),
      Authorization: authorization,
      Events: optional(
        list(word(outgoingWebhookEvents)),
        `Events that it is called for, by default all: ${outgoingWebhookEvents.join(", ")}.`,
      ),
    }),
    "Called for what becomes of messages that were sent.",
  ),
  IncomingWebhook: nullable(
    struct({
      URL: required(httpUrlText, "URL that gets the POST requests."),
      Authorization: authorization,
    }),
    "Called for messages that arrive by SMTP.",
  ),
  FromIDLoginAddresses: optional(
    list(addressText),
    "Messages that are sent after a login with one of these addresses get a sender address (the SMTP one) " +
      "with a unique id after the separator of the domain, which must have one. So reports of delivery can " +
      "be told which message and recipient they are about. All variants of an account's addresses can be " +
      "used to log in, so one variant can be kept for this, such as you+id@example.org.",
  ),
  KeepRetiredMessagePeriod: optional(
    duration,
    "How long messages that left the queue, delivered or failed, are remembered, for example 168h. Needed " +
      "for the list of suppressed recipients, and helpful for finding out what happened.",
  ),
  KeepRetiredWebhookPeriod: optional(
    duration,
    "The same for calls of webhooks.",
  ),
  LoginDisabled: optional(
    answerText,
    "Nobody can log in to the account, and is told this text. Mail for it still arrives.",
  ),
  LoginDisabledByDomain: optional(
    bool,
    "LoginDisabled was set by an administrator of the account's domain, who can also lift it. Otherwise only the " +
      "server's administrator can.",
  ),
  ForwardTo: optional(
    list(addressText),
    "Addresses that get a copy of each message that is accepted for the account by SMTP, except junk that is " +
      "kept all the same. Senders' addresses are rewritten (SRS), so that reports of failure find their way back.",
  ),
  ForwardOnly: optional(
    bool,
    "Keep no copy of what is forwarded. What can't be forwarded, such as a message that was here before, is " +
      "kept.",
  ),
  SendAs: optional(
    list(text()),
    "Accounts that may send with addresses of this account in From, as if they were it.",
  ),
  SendOnBehalf: optional(
    list(text()),
    "Accounts that may send with addresses of this account in From, and are named in the field Sender.",
  ),
  SentCopies: optional(
    bool,
    "Copies of what other accounts send with addresses of this one go into its Sent mailbox, too.",
  ),
  KeepWrittenTo: optional(
    bool,
    "People whom the account writes to, and who are in none of its address books, are put into one of their own.",
  ),
  Domain: present(
    unicodeDomainText,
    "The account's main domain. Destinations without a domain (out of use) are taken to be of this one.",
  ),
  Node: optional(
    text(),
    "The one of Nodes that has the account. By default that of Domain, or the first.",
  ),
  Description: optional(text(), "Free text, such as a name or other ways of contact."),
  FullName: optional(
    text(),
    "Name in the From header of messages sent with the webmail. Destinations can have another one.",
  ),
  Destinations: optional(
    map(destination),
    "Addresses of the account, for receiving and for logging in. @example.org, without the part before the " +
      "@, takes all mail for the domain that has no address of its own. Out of use: a key without @ is an " +
      "address at Domain.",
  ),
  SubjectPass: optional(
    struct({
      Period: required(duration, "How long a token is good for, for example 12h."),
    }),
    "A message that is refused as probable junk is told to come again with a token in its subject, which then " +
      "lets it pass. Not offered to those with a bad reputation.",
  ),
  QuotaMessageSize: optional(
    int(),
    "Most bytes of messages in the account, in place of the limit in mox.conf; a negative number is no limit.",
  ),
  QuotaMessages: optional(
    int(),
    "Most messages in the account, in place of the limit in mox.conf; a negative number is no limit. Not of the original.",
  ),
  QuotaMailboxes: optional(
    int(),
    "Most mailboxes in the account, in place of the limit in mox.conf; a negative number is no limit. Not of the original.",
  ),
  Retention: optional(
    retentionDays,
    "Days after which messages are removed from a mailbox for good, counted from when they came into it. Keys are names " +
      "of mailboxes or special uses: \\\\Trash, \\\\Junk, \\\\Sent, \\\\Drafts, \\\\Archive; a name comes before a special use. 0 is " +
      "for ever, as for those that are not here. They come before those of mox.conf.",
  ),
  LegalHold: optional(
    bool,
    "The server removes nothing of the account by its age: neither by Retention nor from RejectsMailbox. What the user " +
      "removes is gone all the same.",
  ),
  NoQuotaWarnings: optional(
    bool,
    "Send the user no messages when 80 and 95 % of QuotaMessageSize are used, and when it is full.",
  ),
  RejectsMailbox: optional(
    mailboxText,
    "Mailbox for copies of messages that were refused as junk, for example Rejects, so that one can look " +
      "there for mail that does not come. It is cleaned up by itself: choose one with nothing to keep in it.",
  ),
  KeepRejects: optional(
    bool,
    "Do not clean up RejectsMailbox. It may grow large.",
  ),
  Introbox: optional(
    mailboxText,
    "Mailbox for messages of those who write to the account for the first time, in place of the one that " +
      "they would go to, for example Introbox. Not for mailing lists, forwarded messages, and those that a " +
      "ruleset puts elsewhere. Moving one out of it makes it count as if it had come to where it was meant " +
      "for.",
  ),
  AutomaticJunkFlags: optional(
    struct({
      Enabled: required(
        bool,
        "Set the flags. Of the expressions below the first that matches counts.",
      ),
      JunkMailboxRegexp: optional(
        regexpText,
        "Mailboxes whose messages are junk, for example ^(junk|spam).",
      ),
      NeutralMailboxRegexp: optional(
        regexpText,
        "Mailboxes whose messages are neither, for example ^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects).",
      ),
      NotJunkMailboxRegexp: optional(
        regexpText,
        "Mailboxes whose messages are no junk. If just two of the three are set, the third stands for all " +
          "other mailboxes.",
      ),
    }),
    "Set the flags $Junk and $NotJunk, by which the filter learns, when a message comes into a mailbox. For " +
      "many programs moving messages is all that they can do about junk. Names are matched in lower case.",
  ),
  JunkFilter: nullable(
    junkFilter,
    "Filter that learns from the account's own messages, and refuses new ones that look like its junk. It " +
      "is as good as the flags are right; messages in Trash are worth keeping for it.",
  ),
  MaxOutgoingMessagesPerDay: optional(
    count,
    "Most messages to recipients elsewhere in 24 hours. Limits what a stolen password can do.",
    1000,
  ),
  MaxOutgoingMessagesPerHour: optional(
    count,
    "The same in an hour, so that a program or thief who sends quickly is stopped early; 0 for no such limit. What is " +
      "beyond it gets a temporary error.",
  ),
  MaxFirstTimeRecipientsPerDay: optional(
    count,
    "Most recipients in 24 hours that the account never wrote to before.",
    200,
  ),
  NoFirstTimeSenderDelay: optional(
    bool,
    "Answer those who send something for the first time without delay. For accounts of programs.",
  ),
  NoCustomPassword: optional(
    bool,
    "The user can't choose a password but can have a new random one, so that no weak or shared one is used. " +
      "The administrator can set any.",
  ),
  IMAPCapabilitiesDisabled: optional(
    list(text((s) => /^[!-~]+$/.test(s) ? undefined : "is not the name of a capability")),
    "IMAP capabilities that are not announced to programs that have logged in to the account, such as " +
      "COMPRESS=DEFLATE or NOTIFY. For programs that stumble over one.",
  ),
  Routes: optional(
    list(route),
    "Which transport takes messages of the account. They come before those of the domain and the global ones; " +
      "the first that fits counts, and without any messages are delivered directly.",
  ),
});
export type Account = Infer<typeof account>;
