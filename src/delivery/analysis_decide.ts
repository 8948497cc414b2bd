/**
 * The analysis of an incoming message: the steps in order until one decides, then the decision with
 * its headers. Every decision has a reason and a text that say how it came about.
 *
 * Called for each recipient when a message has been received and authenticated. Reads only; the
 * caller stores, delivers, answers, waits and counts.
 *
 * @module
 */
import { noMailbox } from "../store/ids.ts";
import { counter } from "../metrics/mod.ts";
import { checkContent, checkSignals } from "./analysis_content.ts";
import { checkScans, noteScans } from "./analysis_scans.ts";
import {
  acceptReport,
  acceptRest,
  type AnalysisState,
  checkBlockLists,
  checkDmarc,
  checkDns,
  checkIprev,
  checkList,
  checkRate,
  checkReputation,
  checkSpf,
  checkSubjectPass,
  noteForward,
  readReports,
  type Step,
  temporary,
  unknownSender,
  type Verdict,
} from "./analysis_steps.ts";
import { type AnalysisContext, type Decision, goesToJunk, reasons } from "./analysis_types.ts";

const decisions = counter(
  "mox_delivery_analysis_total",
  "Decisions about incoming messages, by reason.",
  { result: ["accept", "reject"], reason: reasons },
);

/** The order of the decision. */
const steps: readonly Step[] = [
  checkRate,
  noteScans,
  checkList,
  noteForward,
  checkDmarc,
  readReports,
  checkReputation,
  acceptReport,
  checkDns,
  checkSpf,
  checkIprev,
  checkSubjectPass,
  checkScans,
  checkContent,
  checkBlockLists,
  checkSignals,
  acceptRest,
];

/** What is left where nothing is refused: the ruleset's mailbox. */
const sortingSteps: readonly Step[] = [noteScans, checkList, acceptRest];

/** Decides about a message for one recipient. */
export function analyze(c: AnalysisContext): Promise<Decision> {
  return decide(c, steps);
}

/** Finds the mailbox of a message that is accepted whatever it is, as localserve does. */
export function sortOnly(c: AnalysisContext): Promise<Decision> {
  return decide(c, sortingSteps);
}

async function decide(c: AnalysisContext, steps: readonly Step[]): Promise<Decision> {
  const s: AnalysisState = {
    c,
    facts: c.facts,
    ruleset: undefined,
    mailbox: c.destination.mailbox || "Inbox",
    text: [],
    dmarcOverride: "",
    dmarcReport: undefined,
    failureReport: undefined,
    tlsReport: undefined,
    reportErrors: [],
    reputation: { junk: undefined, conclusive: false, method: "none", text: "" },
    suspiciousIprev: false,
    moderate: false,
    spamScore: undefined,
    significant: false,
    blocklisted: false,
  };
  let verdict: Verdict | undefined;
  for (const step of steps) {
    try {
      verdict = await step(s);
    } catch (err) {
      // Our failure: the sender tries again, and nothing is decided without a step.
      s.text.push("analysis failed");
      verdict = temporary("analysis-error", err);
    }
    if (verdict) break;
  }
  return decision(s, verdict!);
}

function decision(s: AnalysisState, v: Verdict): Decision {
  const known = !unknownSender(s) || v.reason === "list-allow";
  const d: Decision = {
    accept: v.accept,
    reason: v.reason,
    reasonText: s.text,
    mailbox: s.mailbox,
    destinedMailboxId: noMailbox,
    toRejects: false,
    isReject: false,
    facts: s.facts,
    firstTimeSender: v.accept && !known,
    code: 250,
    enhancedCode: "2.0.0",
    message: "",
    userError: false,
    error: undefined,
    dmarcOverride: s.dmarcOverride,
    // A report that is not accepted is not used either.
    dmarcReport: v.accept ? s.dmarcReport : undefined,
    failureReport: v.accept ? s.failureReport : undefined,
    tlsReport: v.accept ? s.tlsReport : undefined,
    spamScore: spamScoreOf(s),
    virus: virusOf(s),
    headers: "",
  };
  const { introbox = "" } = s.c;
  if (
    d.firstTimeSender && introbox !== "" && !s.ruleset && v.reason !== "reporting" &&
    !s.facts.isForward && !s.facts.isMailingList
  ) {
    d.destinedMailboxId = s.c.mailboxId(s.mailbox);
    d.mailbox = introbox;
    s.text.push("first-time sender, to the introbox");
  }
  if (goesToJunk(v.reason)) {
    // Moved out of there, it counts as if it had been delivered where it was meant to go.
    d.destinedMailboxId = s.c.mailboxId(s.mailbox);
    d.mailbox = s.c.junkMailbox ?? s.mailbox;
  }
  if (!v.accept) {
    d.code = v.code;
    d.enhancedCode = v.enhancedCode;
    d.message = v.message;
    d.error = v.error;
    d.userError = v.error === undefined;
    if (d.userError) d.destinedMailboxId = s.c.mailboxId(s.mailbox);
    d.toRejects = !v.drop && v.error === undefined;
    const rejectsTo = s.ruleset?.AcceptRejectsToMailbox ?? "";
    if (rejectsTo !== "" && !v.drop && v.error === undefined) {
      d.accept = true;
      d.isReject = true;
      d.toRejects = false;
      d.mailbox = rejectsTo;
      s.text.push("accepting reject to a mailbox due to ruleset");
    }
  }
  decisions.inc({ result: d.accept ? "accept" : "reject", reason: d.reason });
  d.headers = headers(s, d);
  return d;
}

/** The junk filter's, or that of scanners where it is higher; 0 for whom history speaks for. */
function spamScoreOf(s: AnalysisState): number | undefined {
  const scanned = s.c.scans?.spamScore;
  const own = s.spamScore ?? (s.reputation.junk === false ? 0 : undefined);
  return scanned === undefined ? own : Math.max(scanned, own ?? 0);
}

function virusOf(s: AnalysisState): number | undefined {
  const virus = s.c.scans?.virus;
  return virus === undefined ? undefined : virus === "" ? 1 : 5;
}

function headers(s: AnalysisState, d: Decision): string {
  let h = field("X-Mox-Reason", [d.reason, ...d.reasonText].join("; "));
  for (const [name, value] of s.reportErrors) h += field(name, value);
  return h;
}

/** Bytes of a header field that the analysis writes; texts have words of the message in them. */
const maxField = 2000;

/** A header field, folded at spaces; what can't stand in a header is left out (RFC 5322 §2.2). */
function field(name: string, value: string): string {
  let out = `${name}:`, line = out.length, total = 0;
  for (const word of value.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, " ").split(" ")) {
    if (word === "") continue;
    // Words are cut to fit the limit of a line.
    const w = word.slice(0, 200);
    total += w.length + 1;
    if (total > maxField) break;
    if (line + 1 + w.length > 78 && line > 1) {
      out += "\r\n\t";
      line = 1;
    } else {
      out += " ";
      line++;
    }
    out += w;
    line += w.length;
  }
  return `${out}\r\n`;
}
