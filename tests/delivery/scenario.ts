/** Makes histories and messages for the scenario tests of the analysis. */
import { asMailboxId } from "../../src/store/ids.ts";
import type { AnalysisContext, Ruleset } from "../../src/delivery/analysis_types.ts";
import type { History, HistoryQuery } from "../../src/store/messages/history.ts";
import type { DeliveryFacts } from "../../src/store/types.ts";
import { deliveryFacts } from "../store/setup.ts";

export const day = 24 * 3600 * 1000;
export const now = Date.UTC(2026, 5, 1);

/** A message of the history. */
export interface Past extends DeliveryFacts {
  mailboxId: number;
  /** Milliseconds ago. */
  age: number;
  junk: boolean;
  notJunk: boolean;
  expunged: boolean;
  size: number;
  times: number;
}

/** Someone the user wrote to. */
export interface Sent {
  localpart: string;
  domain: string;
  orgDomain: string;
  age: number;
}

export const inbox = asMailboxId(1), rejects = asMailboxId(2), lists = asMailboxId(3);
export const mailboxes: Record<string, number> = {
  Inbox: inbox,
  Rejects: rejects,
  "lists/a": lists,
};

/** Facts of a message of alice@sender.example, verified, from 192.0.2.10. */
export const facts = deliveryFacts;

/** A sender of whom nothing is the same as in {@link facts}. */
export const stranger: Partial<DeliveryFacts> = {
  networks: ["203.0.113.5", "203.0.113.0", "203.0.112.0"],
  ehloDomain: "mx.else.example",
  mailFromLocalpart: "x",
  mailFromDomain: "else.example",
  msgFromLocalpart: "x",
  msgFromDomain: "else.example",
  msgFromOrgDomain: "else.example",
  dkimDomains: ["else.example"],
};

export function ham(over: Partial<Past> = {}): Past {
  return {
    ...facts(),
    mailboxId: inbox,
    age: day,
    junk: false,
    notJunk: true,
    expunged: false,
    size: 1000,
    times: 1,
    ...over,
  };
}
export function junk(over: Partial<Past> = {}): Past {
  return ham({ junk: true, notJunk: false, ...over });
}
export function sent(address: string, orgDomain: string, age = day): Sent {
  const at = address.lastIndexOf("@");
  return { localpart: address.slice(0, at), domain: address.slice(at + 1), orgDomain, age };
}

/** A history in memory. */
export function memoryHistory(past: readonly Past[], recipients: readonly Sent[]): History {
  const all = past.flatMap((p) => Array.from({ length: p.times }, () => p));
  return {
    messages(q: HistoryQuery) {
      return all.filter((p) => {
        if (p.expunged || p.junk === p.notJunk || p.mailboxId !== q.mailboxId) return false;
        if (now - p.age < q.since) return false;
        const same = <K extends keyof HistoryQuery & keyof Past>(k: K) =>
          q[k] === undefined || (p[k] as unknown) === q[k];
        const n = q.network;
        return same("msgFromLocalpart") && same("msgFromDomain") && same("msgFromOrgDomain") &&
          same("msgFromValidated") && same("mailFromLocalpart") &&
          (q.mailFromDomain === undefined || p.mailFromValidated) &&
          (q.ehloDomain === undefined || p.ehloValidated) && same("mailFromDomain") &&
          same("ehloDomain") &&
          (q.dkimDomain === undefined || p.dkimDomains.includes(q.dkimDomain)) &&
          (n === undefined || p.networks[n.index] === n.networks[n.index]);
      }).sort((a, b) => a.age - b.age).slice(0, q.limit);
    },
    sentTo(q, since) {
      return recipients.some((r) =>
        now - r.age >= since &&
        ("orgDomain" in q
          ? r.orgDomain === q.orgDomain
          : r.domain === q.domain && (!("localpart" in q) || r.localpart === q.localpart))
      );
    },
    received(n, since) {
      const l = all.filter((p) =>
        !p.expunged && p.networks[n.index] === n.networks[n.index] && now - p.age >= since
      );
      return { count: l.length, size: l.reduce((sum, p) => sum + p.size, 0) };
    },
  };
}

export function ruleset(over: Partial<Ruleset>): Ruleset {
  return {
    SMTPMailFromRegexp: "",
    MsgFromRegexp: "",
    VerifiedDomain: "",
    HeadersRegexp: {},
    IsForward: false,
    ListAllowDomain: "",
    AcceptRejectsToMailbox: "",
    Mailbox: "",
    ...over,
  };
}

/** A good message for me@ours.example: TLS, iprev, SPF, DKIM and DMARC pass, own address in To. */
export function message(over: Partial<AnalysisContext> = {}): AnalysisContext {
  return {
    now,
    facts: facts(),
    size: 2000,
    tls: true,
    smtputf8: false,
    iprevPass: true,
    spf: "pass",
    signatures: [{ domain: "sender.example", pass: true, partial: false, tlsrptAllowed: true }],
    dmarc: { use: true, pass: true, reject: false },
    headers: [["Subject", "hello"]],
    subject: "hello",
    from: "alice@sender.example",
    toCc: ["me@ours.example"],
    rcptTo: "me@ours.example",
    destination: { mailbox: "", rulesets: [], dmarcReports: false, tlsReports: false },
    history: memoryHistory([], []),
    junkMailbox: undefined,
    signals: undefined,
    mailboxId: (name) => asMailboxId(mailboxes[name] ?? 0),
    junk: undefined,
    subjectPass: undefined,
    dnsbls: [],
    failureReport: () => undefined,
    dmarcReport: () => {
      throw new Error("not a report address");
    },
    tlsReport: () => {
      throw new Error("not a report address");
    },
    isOurDomain: (d) => d === "ours.example",
    random: () => 0.5,
    ...over,
  };
}

/** A junk filter that always says the same. */
export function content(
  probability: number,
  significant = true,
  evidence = 20,
): AnalysisContext["junk"] {
  return {
    threshold: 0.95,
    refuseThreshold: 0.9999,
    classify: () => ({ probability, significant, evidence, hams: [], spams: [] }),
  };
}
