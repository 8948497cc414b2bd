/** Conditions on emails (RFC 8621 §4.4.1): those decided by the index, and those decided by texts. @module */
import * as v from "valibot";
import type { EmailIndex } from "../../../store/emails/email_index.ts";
import type { SearchNode } from "../../../store/search/types.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { type FilterTree, readFilter } from "../../core/query.ts";
import { dateMs, id, unsignedInt, utcDate } from "../../core/types.ts";
import { mailboxNumber } from "../ids.ts";
import { keywordBit } from "../keywords.ts";
import { readCondition } from "./mailbox_query.ts";
import { asksSmime, asksVerified } from "../smime.ts";

export const emailCondition = v.strictObject({
  inMailbox: v.optional(v.nullable(id)),
  inMailboxOtherThan: v.optional(v.nullable(v.array(id))),
  before: v.optional(v.nullable(utcDate)),
  after: v.optional(v.nullable(utcDate)),
  minSize: v.optional(v.nullable(unsignedInt)),
  maxSize: v.optional(v.nullable(unsignedInt)),
  allInThreadHaveKeyword: v.optional(v.nullable(v.string())),
  someInThreadHaveKeyword: v.optional(v.nullable(v.string())),
  noneInThreadHaveKeyword: v.optional(v.nullable(v.string())),
  hasKeyword: v.optional(v.nullable(v.string())),
  notKeyword: v.optional(v.nullable(v.string())),
  hasAttachment: v.optional(v.nullable(v.boolean())),
  // RFC 9219 §4.2.
  hasSmime: v.optional(v.nullable(v.boolean())),
  hasVerifiedSmime: v.optional(v.nullable(v.boolean())),
  hasVerifiedSmimeAtDelivery: v.optional(v.nullable(v.boolean())),
  text: v.optional(v.nullable(v.string())),
  from: v.optional(v.nullable(v.string())),
  to: v.optional(v.nullable(v.string())),
  cc: v.optional(v.nullable(v.string())),
  bcc: v.optional(v.nullable(v.string())),
  subject: v.optional(v.nullable(v.string())),
  body: v.optional(v.nullable(v.string())),
  header: v.optional(
    v.nullable(
      v.pipe(
        v.array(v.string()),
        v.check(
          (h) => h.length === 1 || h.length === 2,
          "must have a name, and maybe a text",
        ),
        v.check(
          (h) => /^[\x21-\x39\x3b-\x7e]{1,255}$/.test(h[0] ?? ""),
          "must name a header field",
        ),
      ),
    ),
  ),
});
export type EmailCondition = v.InferOutput<typeof emailCondition>;

export type EmailFilter = FilterTree<EmailCondition>;

/** @throws MethodError */
export function readEmailFilter(
  filter: Record<string, unknown> | null | undefined,
): EmailFilter | undefined {
  return readFilter(filter, (c) => readCondition(emailCondition, c));
}

/**
 * Refuses conditions on signatures to clients that don't use that capability. @throws MethodError
 * unsupportedFilter
 */
export function refuseSmime(filter: EmailFilter | undefined): void {
  eachCondition(filter, (c) => {
    if (asksSmime(c)) {
      throw new MethodError("unsupportedFilter", `needs ${Capability.SmimeVerify} in using`);
    }
  });
}

/** Calls the function for each condition of a filter. */
export function eachCondition(
  filter: EmailFilter | undefined,
  fn: (condition: EmailCondition) => void,
): void {
  if (filter === undefined) return;
  if ("condition" in filter) fn(filter.condition);
  else for (const c of filter.conditions) eachCondition(c, fn);
}

/** Words and quoted phrases of a search text (RFC 8621 §4.4.1): each must occur. */
export function searchTerms(text: string): string[] {
  const terms: string[] = [];
  for (const m of text.matchAll(/"([^"]*)"|'([^']*)'(?=\s|$)|(\S+)/g)) {
    const term = (m[1] ?? m[2] ?? m[3]).trim();
    if (term !== "" && terms.length < 50) terms.push(term);
  }
  return terms;
}

const both = (nodes: SearchNode[]): SearchNode =>
  nodes.length === 1 ? nodes[0] : { op: "and", nodes };

/** The search in the texts of emails; undefined for conditions without one. */
export function textNode(condition: EmailCondition): SearchNode | undefined {
  const nodes: SearchNode[] = [];
  for (const field of ["from", "to", "cc", "bcc", "subject"] as const) {
    for (const text of searchTerms(condition[field] ?? "")) {
      nodes.push({ op: "summary", field, text });
    }
  }
  for (const text of searchTerms(condition.body ?? "")) nodes.push({ op: "body", text });
  for (const text of searchTerms(condition.text ?? "")) {
    nodes.push({
      op: "or",
      nodes: [
        ...(["from", "to", "cc", "bcc", "subject"] as const).map((field) =>
          ({ op: "summary", field, text }) as const
        ),
        { op: "body", text },
      ],
    });
  }
  if (condition.header) {
    nodes.push({
      op: "header",
      name: condition.header[0].toLowerCase(),
      text: condition.header[1] ?? "",
    });
  }
  if (condition.hasAttachment !== null && condition.hasAttachment !== undefined) {
    nodes.push(
      condition.hasAttachment ? { op: "attachment" } : { op: "not", node: { op: "attachment" } },
    );
  }
  return nodes.length === 0 ? undefined : both(nodes);
}

/** Whether an email has a keyword. */
export function keywordTest(index: EmailIndex, keyword: string): (slot: number) => boolean {
  const bit = keywordBit(keyword);
  if (bit !== undefined) return (slot) => (index.flags[slot] & bit) !== 0;
  const lower = keyword.toLowerCase();
  return (slot) => index.hasKeyword(slot, lower);
}

/** Threads with an email that has a keyword, and threads with one that doesn't. */
export function threadsByKeyword(
  index: EmailIndex,
  keyword: string,
  visible: (slot: number) => boolean,
): { some: Set<number>; lacking: Set<number> } {
  const has = keywordTest(index, keyword);
  const some = new Set<number>();
  const lacking = new Set<number>();
  for (const slot of index.order.slots) {
    if (visible(slot)) (has(slot) ? some : lacking).add(index.threadId[slot]);
  }
  return { some, lacking };
}

/** The part of a condition that the index decides. */
export function indexTest(
  index: EmailIndex,
  condition: EmailCondition,
  visible: (slot: number) => boolean,
): (slot: number) => boolean {
  const tests: ((slot: number) => boolean)[] = [];
  if (condition.inMailbox !== null && condition.inMailbox !== undefined) {
    const mailbox = mailboxNumber(condition.inMailbox) ?? 0;
    tests.push(mailbox === 0 ? () => false : (slot) => index.isIn(slot, mailbox));
  }
  if (condition.inMailboxOtherThan) {
    const others = new Set(condition.inMailboxOtherThan.map((m) => mailboxNumber(m) ?? 0));
    tests.push((slot) => index.mailboxesOf(slot).some((m) => !others.has(m)));
  }
  if (condition.before) {
    const before = dateMs(condition.before)!;
    tests.push((slot) => index.received[slot] < before);
  }
  if (condition.after) {
    const after = dateMs(condition.after)!;
    tests.push((slot) => index.received[slot] >= after);
  }
  const { minSize, maxSize } = condition;
  if (minSize) tests.push((slot) => index.size[slot] >= minSize);
  if (maxSize !== null && maxSize !== undefined) tests.push((slot) => index.size[slot] < maxSize);
  if (condition.hasKeyword) tests.push(keywordTest(index, condition.hasKeyword));
  if (condition.notKeyword) {
    const has = keywordTest(index, condition.notKeyword);
    tests.push((slot) => !has(slot));
  }
  if (condition.allInThreadHaveKeyword) {
    const { lacking } = threadsByKeyword(index, condition.allInThreadHaveKeyword, visible);
    tests.push((slot) => !lacking.has(index.threadId[slot]));
  }
  if (condition.someInThreadHaveKeyword) {
    const { some } = threadsByKeyword(index, condition.someInThreadHaveKeyword, visible);
    tests.push((slot) => some.has(index.threadId[slot]));
  }
  if (condition.noneInThreadHaveKeyword) {
    const { some } = threadsByKeyword(index, condition.noneInThreadHaveKeyword, visible);
    tests.push((slot) => !some.has(index.threadId[slot]));
  }
  if (tests.length === 1) return tests[0];
  return (slot) => tests.every((t) => t(slot));
}

/** True if a filter depends on other emails of the thread. */
export function looksAtThreads(filter: EmailFilter | undefined): boolean {
  let r = false;
  eachCondition(filter, (c) => {
    r ||= Boolean(
      c.allInThreadHaveKeyword || c.someInThreadHaveKeyword || c.noneInThreadHaveKeyword,
    );
  });
  return r;
}

/** True if a filter uses only immutable properties of emails. */
export function isImmutable(filter: EmailFilter | undefined): boolean {
  let r = !looksAtThreads(filter);
  eachCondition(filter, (c) => {
    if (c.inMailbox || c.inMailboxOtherThan || c.hasKeyword || c.notKeyword) r = false;
    // Certificates expire.
    if (asksVerified(c)) r = false;
  });
  return r;
}
