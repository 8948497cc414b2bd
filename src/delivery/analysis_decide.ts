/**
 * The analysis of an incoming message: the steps in order until one decides, then the decision with its
 * headers. Every decision has a reason and a text that explain it.
 *
 * Called for each recipient when a message has been received and authenticated. Reads only; the caller stores,
 * delivers, answers, waits and counts.
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

/** The steps, in the order of the decision. */
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

/** The remaining steps where nothing is refused: the ruleset's mailbox. */
const sortingSteps: readonly Step[] = [noteScans, checkList, acceptRest];

/** Decides about a message for one recipient. */
export function analyze(context: AnalysisContext): Promise<Decision> {
  return decide(context, steps);
}

/** Finds the mailbox of a message that is accepted in any case, as in localserve. */
export function sortOnly(context: AnalysisContext): Promise<Decision> {
  return decide(context, sortingSteps);
}

async function decide(context: AnalysisContext, steps: readonly Step[]): Promise<Decision> {
  const s: AnalysisState = {
    c: context,
    facts: context.facts,
    ruleset: undefined,
    mailbox: context.destination.mailbox || "Inbox",
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
      // Our failure: the sender tries again; no decision is made without this step.
      s.text.push("analysis failed");
      verdict = temporary("analysis-error", err);
    }
    if (verdict) break;
  }
  return decision(s, verdict!);
}

function decision(state: AnalysisState, verdict: Verdict): Decision {
  const known = !unknownSender(state) || verdict.reason === "list-allow";
  const d: Decision = {
    accept: verdict.accept,
    reason: verdict.reason,
    reasonText: state.text,
    mailbox: state.mailbox,
    destinedMailboxId: noMailbox,
    toRejects: false,
    isReject: false,
    facts: state.facts,
    firstTimeSender: verdict.accept && !known,
    code: 250,
    enhancedCode: "2.0.0",
    message: "",
    userError: false,
    error: undefined,
    dmarcOverride: state.dmarcOverride,
    // A report that is not accepted is not used either.
    dmarcReport: verdict.accept ? state.dmarcReport : undefined,
    failureReport: verdict.accept ? state.failureReport : undefined,
    tlsReport: verdict.accept ? state.tlsReport : undefined,
    spamScore: spamScoreOf(state),
    virus: virusOf(state),
    headers: "",
  };
  const { introbox = "" } = state.c;
  if (
    d.firstTimeSender && introbox !== "" && !state.ruleset && verdict.reason !== "reporting" &&
    !state.facts.isForward && !state.facts.isMailingList
  ) {
    d.destinedMailboxId = state.c.mailboxId(state.mailbox);
    d.mailbox = introbox;
    state.text.push("first-time sender, to the introbox");
  }
  if (goesToJunk(verdict.reason)) {
    // If it is moved out of there, it counts as delivered to the intended mailbox.
    d.destinedMailboxId = state.c.mailboxId(state.mailbox);
    d.mailbox = state.c.junkMailbox ?? state.mailbox;
  }
  if (!verdict.accept) {
    d.code = verdict.code;
    d.enhancedCode = verdict.enhancedCode;
    d.message = verdict.message;
    d.error = verdict.error;
    d.userError = verdict.error === undefined;
    if (d.userError) d.destinedMailboxId = state.c.mailboxId(state.mailbox);
    d.toRejects = !verdict.drop && verdict.error === undefined;
    const rejectsTo = state.ruleset?.AcceptRejectsToMailbox ?? "";
    if (rejectsTo !== "" && !verdict.drop && verdict.error === undefined) {
      d.accept = true;
      d.isReject = true;
      d.toRejects = false;
      d.mailbox = rejectsTo;
      state.text.push("accepting reject to a mailbox due to ruleset");
    }
  }
  decisions.inc({ result: d.accept ? "accept" : "reject", reason: d.reason });
  d.headers = headers(state, d);
  return d;
}

/** The junk filter's score, or that of scanners if higher; 0 for senders with a good history. */
function spamScoreOf(state: AnalysisState): number | undefined {
  const scanned = state.c.scans?.spamScore;
  const own = state.spamScore ?? (state.reputation.junk === false ? 0 : undefined);
  return scanned === undefined ? own : Math.max(scanned, own ?? 0);
}

function virusOf(state: AnalysisState): number | undefined {
  const virus = state.c.scans?.virus;
  return virus === undefined ? undefined : virus === "" ? 1 : 5;
}

function headers(state: AnalysisState, d: Decision): string {
  let h = field("X-Mox-Reason", [d.reason, ...d.reasonText].join("; "));
  for (const [name, value] of state.reportErrors) h += field(name, value);
  return h;
}

/** Most bytes of a header field written by the analysis, whose texts contain words of the message. */
const maxField = 2000;

/** A header field, folded at spaces; characters not allowed in a header are left out (RFC 5322 §2.2). */
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
