/**
 * Input and output of the analysis of an incoming message. The caller maps sender authentication, configuration
 * and account to these types.
 *
 * @module
 */
import type { MailboxId } from "../store/ids.ts";
import type { Classification } from "../junk/mod.ts";
import type { DmarcReport, FailureReport, TlsReport } from "../reports/mod.ts";
import type { DeliveryFacts } from "../store/types.ts";
import type { History } from "../store/messages/history.ts";
import type { ReputationMethod } from "./reputation.ts";
import type { Signal } from "./suspicion/mod.ts";

/** Why a message was accepted or not; also the label of the metric. */
export type Reason =
  | ReputationMethod
  | "high-rate"
  | "list-allow"
  | "dmarc-policy"
  | "reporting"
  | "reputation-error"
  | "analysis-error"
  | "dns-temporary"
  | "spf-policy"
  | "iprev"
  | "subjectpass"
  | "give-subjectpass"
  | "junk-content"
  | "junk-content-strict"
  | "junk-mailbox"
  | "junk-classify-error"
  | "phishing-signals"
  | "dns-blocklisted"
  | "scanner-junk"
  | "scanner-quarantine"
  | "no-bad-signals";

/** All reasons, for metrics. */
export const reasons: readonly Reason[] = [
  "msgfromfull",
  "msgtofull",
  "msgfromdomain",
  "msgtodomain",
  "msgfromorgdomain",
  "msgtoorgdomain",
  "dkimspf",
  "ip1",
  "ip2",
  "ip3",
  "none",
  "high-rate",
  "list-allow",
  "dmarc-policy",
  "reporting",
  "reputation-error",
  "analysis-error",
  "dns-temporary",
  "spf-policy",
  "iprev",
  "subjectpass",
  "give-subjectpass",
  "junk-content",
  "junk-content-strict",
  "junk-mailbox",
  "junk-classify-error",
  "phishing-signals",
  "dns-blocklisted",
  "scanner-junk",
  "scanner-quarantine",
  "no-bad-signals",
];

/** A ruleset of a destination, under its configuration's names. All given conditions must match. */
export interface Ruleset {
  /** Matched against localpart@domain of MAIL FROM. */
  SMTPMailFromRegexp: string;
  /** Matched against the address in From. */
  MsgFromRegexp: string;
  /** Domain, or parent domain, of a passing SPF or DKIM identity. */
  VerifiedDomain: string;
  /** Regular expressions for name and value of a header field, matched in lower case. */
  HeadersRegexp: Record<string, string>;
  /** Forwarded: the forwarding server is not to blame for what it forwards. */
  IsForward: boolean;
  /** List whose messages are accepted when this domain passed SPF or DKIM. */
  ListAllowDomain: string;
  /** Mailbox for what would be rejected; "" rejects. */
  AcceptRejectsToMailbox: string;
  Mailbox: string;
}

/** The relevant part of the recipient's configuration. */
export interface AnalysisDestination {
  /** "" for Inbox. */
  mailbox: string;
  rulesets: readonly Ruleset[];
  /** Reports are expected at this address. */
  dmarcReports: boolean;
  tlsReports: boolean;
}

/** The relevant facts of a passing or failing signature. */
export interface SignatureResult {
  domain: string;
  pass: boolean;
  /** With l=, so that text could have been added. */
  partial: boolean;
  /** The key may be used for TLS reports (s=*, or s=tlsrpt). */
  tlsrptAllowed: boolean;
}

/** Scanners' findings about a message that they did not refuse. */
export interface ScanFindings {
  /** The finding of each, for people. */
  texts: readonly string[];
  junk: boolean;
  /** Which of them wants a quarantine, and why. */
  quarantine: string | undefined;
  /** From 0 to 1. */
  spamScore: number | undefined;
  /** The name of a virus, or "" if none was found; undefined if not scanned. */
  virus: string | undefined;
}

/** An incoming message for one recipient, after authentication and before the decision. */
export interface AnalysisContext {
  /** Milliseconds. */
  now: number;
  /** Validated fields are filled in; isForward and isMailingList are set by the analysis. */
  facts: DeliveryFacts;
  /** Bytes. */
  size: number;
  /** Whether the message came over TLS. */
  tls: boolean;
  /** The remote understands UTF-8 in our answers. */
  smtputf8: boolean;
  /** Result of iprev: only "pass" is good. */
  iprevPass: boolean;
  spf: "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror";
  signatures: readonly SignatureResult[];
  dmarc: {
    /** False if it must not be applied, e.g. for our own test addresses. */
    use: boolean;
    pass: boolean;
    /** The domain's policy asks to reject this message (sampling considered). */
    reject: boolean;
    /** The policy lookup failed temporarily. */
    temporary?: boolean;
  };
  /** Header fields; names and values unchanged. */
  headers: readonly (readonly [name: string, value: string])[];
  subject: string;
  /** Address in From, if there is exactly one: localpart@domain. */
  from: string | undefined;
  /** Addresses in To and Cc, localpart@domain. */
  toCc: readonly string[];
  /** The recipient as in RCPT TO: localpart@domain; for an alias, the alias's address. */
  rcptTo: string;
  destination: AnalysisDestination;
  history: History;
  /** Id of a mailbox by name; 0 if it doesn't exist. */
  mailboxId: (name: string) => MailboxId;
  /** Mailbox for first-time senders; "" for none. Default "". */
  introbox?: string;
  /** The account's junk filter; undefined without one. */
  junk:
    | {
      /** A message above it is junk. */
      threshold: number;
      /** Junk above it is refused instead of being put into the account's Junk mailbox. */
      refuseThreshold: number;
      classify: () => Classification | Promise<Classification>;
    }
    | undefined;
  /** Findings of other programs; undefined if none was asked. */
  scans?: ScanFindings;
  /** Signs of phishing that need no training; undefined if not checked. */
  signals: (() => Signal[] | Promise<Signal[]>) | undefined;
  /** Name of the account's junk mailbox; without one (undefined) all junk is refused. */
  junkMailbox: string | undefined;
  /** Undefined if subject passes aren't used. The key belongs to the account and address. */
  subjectPass: { key: Uint8Array; periodMs: number } | undefined;
  /** Block lists in order; asked one after the other, as there is no hurry to accept spam. */
  dnsbls: readonly { zone: string; listed: () => Promise<boolean> }[];
  /** Parses the report in the message. Throws ReportError. Only called for report addresses. */
  dmarcReport: () => DmarcReport;
  /** The failure report, if the message is one. Only called for report addresses. */
  failureReport: () => FailureReport | undefined;
  tlsReport: () => TlsReport;
  /** Whether a domain of a report is ours: a configured domain, or our host name. */
  isOurDomain: (domain: string) => boolean;
  /** From 0 to below 1; for jitter. */
  random: () => number;
}

const junkReasons: ReadonlySet<Reason> = new Set([
  "junk-mailbox",
  "phishing-signals",
  "scanner-junk",
  "scanner-quarantine",
]);

/** Reasons for which a message is accepted into the Junk mailbox. */
export function goesToJunk(reason: Reason): boolean {
  return junkReasons.has(reason);
}

/** What to do with the message. */
export interface Decision {
  accept: boolean;
  reason: Reason;
  /** The steps that led here, for people. */
  reasonText: string[];
  /** The target mailbox if accepted; if rejected, where it would have gone. */
  mailbox: string;
  /** Id of that mailbox for a rejected message (MailboxDestinedID); `noMailbox` if it doesn't exist. */
  destinedMailboxId: MailboxId;
  /** Whether a rejected message is kept in the Rejects mailbox, if one is configured. */
  toRejects: boolean;
  /** Rejected, but accepted because of a ruleset: mark it IsReject, and \Seen so that it draws no attention. */
  isReject: boolean;
  /** Facts to store: for a forwarded message, without those of the forwarding server. */
  facts: DeliveryFacts;
  /** No history of the sender: wait before accepting (except on loopback). */
  firstTimeSender: boolean;
  /** SMTP answer to a rejected message. */
  code: number;
  enhancedCode: string;
  message: string;
  /** True if the sender is to blame, false for our own failure. */
  userError: boolean;
  /** Cause of our own failure, for the log. */
  error: unknown;
  /** Why DMARC's policy was not followed, for aggregate reports. */
  dmarcOverride: "" | "mailing_list" | "forwarded";
  /** Authenticated reports, for storage. */
  dmarcReport: DmarcReport | undefined;
  failureReport: FailureReport | undefined;
  tlsReport: TlsReport | undefined;
  /** Probability of being junk, from 0 to 1, if the sender's history or the content gave one. */
  spamScore: number | undefined;
  /** RFC 5235 §3.3: 1 for no virus found, 5 for one found; undefined if not scanned. */
  virus: number | undefined;
  /** Header fields for the delivered message, X-Mox-Reason among them; lines end with CRLF. */
  headers: string;
}
