/** Properties of and conditions on emails' S/MIME signatures (RFC 9219). @module */
import {
  type CheckedSignature,
  checkSmimeMessage,
  smimeParts,
  unknownSignature,
} from "../../encryption/mod.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { unpackStructure } from "../../mail/structure/packed.ts";
import type { Account } from "../../store/account/account.ts";
import type { EmailId } from "../../store/ids.ts";
import { emailStructure } from "../../store/messages/content.ts";
import { utcDateOf } from "../core/types.ts";
import { storedMessage, Turns } from "./message_source.ts";

/** Properties of an Email (RFC 9219 §4.1). */
export const smimeProperties = [
  "smimeStatus",
  "smimeStatusAtDelivery",
  "smimeErrors",
  "smimeVerifiedAt",
];

/** Conditions of a filter (RFC 9219 §4.2). */
export interface SmimeCondition {
  hasSmime?: boolean | null;
  hasVerifiedSmime?: boolean | null;
  hasVerifiedSmimeAtDelivery?: boolean | null;
}

const wanted = (b: boolean | null | undefined) => b !== null && b !== undefined;

/** Whether a condition concerns signatures. */
export function asksSmime(c: SmimeCondition): boolean {
  return wanted(c.hasSmime) || asksVerified(c);
}

/** Whether a condition needs signatures verified. */
export function asksVerified(c: SmimeCondition): boolean {
  return wanted(c.hasVerifiedSmime) || wanted(c.hasVerifiedSmimeAtDelivery);
}

/** Milliseconds that a result is cached: certificates expire. */
const keptFor = 3_600_000;
/** Most results cached for an account: some hundred bytes each. */
const maxKept = 20_000;

/** The result of checking a signature, and when. */
interface Checked {
  /** Milliseconds since the epoch. */
  at: number;
  now: CheckedSignature | "tooLarge";
  atDelivery: CheckedSignature | "tooLarge";
}

const kept = new WeakMap<Account, { trusted: readonly string[]; results: Map<EmailId, Checked> }>();

/** What is needed to check the emails of an account. */
export interface SmimeChecks {
  account: Account;
  /** PEM of the trusted authorities. */
  trusted: readonly string[];
}

/** The kind of a message's signature: "other" if not S/MIME; undefined for an unsigned message. */
function kindOf(root: Part): "smime" | "other" | undefined {
  if (smimeParts(root)) return "smime";
  return root.type === "multipart" && root.subtype === "signed" ? "other" : undefined;
}

/** Checks an email's signature, or returns the cached result. */
function checked(
  { account, trusted }: SmimeChecks,
  emailId: EmailId,
  structure: string,
  received: number,
): Checked {
  let k = kept.get(account);
  if (k?.trusted !== trusted) kept.set(account, k = { trusted, results: new Map() });
  const now = Date.now();
  const known = k.results.get(emailId);
  if (known && now - known.at < keptFor && known.at <= now) return known;
  k.results.delete(emailId);
  const m = storedMessage(account, emailId, structure);
  try {
    const parts = smimeParts(m.root);
    const at = (time: number) =>
      parts ? checkSmimeMessage(m, parts, trusted, time) : unknownSignature;
    const result: Checked = { at: now, now: at(now), atDelivery: at(Math.min(received, now)) };
    if (k.results.size >= maxKept) k.results.delete(k.results.keys().next().value!);
    k.results.set(emailId, result);
    return result;
  } finally {
    m.close();
  }
}

/** RFC 9219 §4.1.1. */
function statusOf(c: CheckedSignature | "tooLarge"): string {
  return c === "tooLarge" ? "signed" : c.state === "good" ? "signed/verified" : "signed/failed";
}

/** What is wrong, for people. */
function errorsOf(c: CheckedSignature | "tooLarge"): string[] | null {
  if (c === "tooLarge") return ["The message is too large for its signature to be checked."];
  switch (c.state) {
    case "good":
      return null;
    case "held":
      return [
        `The signature holds, but nobody who is trusted here vouches for the certificate of ${c.signer}.`,
      ];
    case "other":
      return [`The signature is by ${c.signer}, and not by the address in From.`];
    case "bad":
      return ["The message isn't what was signed."];
    case "noKey":
      return ["The message doesn't have the certificate of its signer."];
    case "unknown":
      return ["The signature is damaged, or made in a way that isn't known here."];
  }
}

/** The requested properties of an email. */
export function smimeOf(
  checks: SmimeChecks,
  emailId: EmailId,
  structure: string,
  received: number,
  properties: ReadonlySet<string>,
): Record<string, unknown> {
  const kind = kindOf(unpackStructure(structure));
  const result = kind === "smime" ? checked(checks, emailId, structure, received) : undefined;
  // Other signatures, such as OpenPGP's, aren't checked here.
  const other = kind === "other" ? "unknown" : null;
  const all: Record<string, unknown> = {
    smimeStatus: result ? statusOf(result.now) : other,
    smimeStatusAtDelivery: result ? statusOf(result.atDelivery) : other,
    smimeErrors: result ? errorsOf(result.now) : null,
    smimeVerifiedAt: result && result.now !== "tooLarge" ? utcDateOf(result.at) : null,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => properties.has(name)));
}

/** The emails that match a condition on signatures. @param emails ids with the time of delivery */
export async function withSmime(
  checks: SmimeChecks,
  emails: Iterable<readonly [EmailId, number]>,
  condition: SmimeCondition,
  stopped: () => boolean,
): Promise<Set<number>> {
  const turns = new Turns();
  const found = new Set<number>();
  const isAs = (want: boolean | null | undefined, is: boolean) => !wanted(want) || want === is;
  for (const [emailId, received] of emails) {
    if (stopped()) break;
    const structure = emailStructure(checks.account.db, emailId);
    if (structure === undefined) continue;
    // Most have none, which the text of their structure shows faster than its parts.
    const kind = /signed|pkcs7/.test(structure) ? kindOf(unpackStructure(structure)) : undefined;
    let meets = isAs(condition.hasSmime, kind !== undefined);
    if (meets && asksVerified(condition)) {
      const r = kind === "smime" ? checked(checks, emailId, structure, received) : undefined;
      const verified = (c: CheckedSignature | "tooLarge" | undefined) =>
        c !== undefined && statusOf(c) === "signed/verified";
      meets = isAs(condition.hasVerifiedSmime, verified(r?.now)) &&
        isAs(condition.hasVerifiedSmimeAtDelivery, verified(r?.atDelivery));
    }
    if (meets) found.add(emailId);
    await turns.next();
  }
  return found;
}
