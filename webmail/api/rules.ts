/**
 * Rules for arriving mail, as the webmail's settings show them; the server stores them as a Sieve script. @module
 */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "./basics.ts";

/** What is examined. "all": every message; "header": any other field, whose name is given in `header`. */
export const ConditionField = v.picklist([
  "from",
  "to",
  "subject",
  "list",
  "header",
  "size",
  "attachment",
  "book",
]);
export type ConditionField = v.InferOutput<typeof ConditionField>;

export const Condition = v.strictObject({
  field: ConditionField,
  /** For texts; a size is "over" or "under". */
  op: v.picklist(["contains", "is", "matches", "over", "under", "has"]),
  not: v.boolean(),
  /** A text, or a size in bytes with K or M behind it. */
  value: text(500),
  /** Name of the field for "header". */
  header: text(100),
});
export type Condition = v.InferOutput<typeof Condition>;

export const RuleAction = v.strictObject({
  kind: v.picklist([
    "move",
    "copy",
    "label",
    "star",
    "read",
    "forward",
    "forwardCopy",
    "trash",
    "discard",
    "reply",
    "refuse",
    "stop",
  ]),
  /** A mailbox, label, address or text. */
  value: text(10_000),
});
export type RuleAction = v.InferOutput<typeof RuleAction>;

export const Rule = v.strictObject({
  name: text(200),
  enabled: v.boolean(),
  /** Whether all conditions must hold, or any of them; without conditions: every message. */
  all: v.boolean(),
  conditions: v.pipe(v.array(Condition), v.maxLength(50)),
  actions: v.pipe(v.array(RuleAction), v.minLength(1), v.maxLength(20)),
});
export type Rule = v.InferOutput<typeof Rule>;

/** A rule, or a part of a script that can't be shown as one. */
export const RuleItem = v.union([
  v.strictObject({ rule: Rule }),
  v.strictObject({ text: text(1_000_000) }),
]);
export type RuleItem = v.InferOutput<typeof RuleItem>;

/** A problem in a script; lines and columns count from 1. */
export const RuleProblem = v.object({ line: Count, column: Count, message: v.string() });
export type RuleProblem = v.InferOutput<typeof RuleProblem>;

/** Rules as a list, or a script's text. */
const Script = v.union([
  v.strictObject({ items: v.pipe(v.array(RuleItem), v.maxLength(2000)) }),
  v.strictObject({ text: text(1_000_000) }),
]);
export type RuleScript = v.InferOutput<typeof Script>;

/** What rules would do with a message. */
export const Tried = v.object({
  id: Id,
  from: v.string(),
  subject: v.string(),
  received: Time,
  /** In words; without messages that stay where they are. */
  what: v.array(v.string()),
});
export type Tried = v.InferOutput<typeof Tried>;

const Entry = v.object({
  time: Time,
  from: v.string(),
  subject: v.string(),
  steps: v.array(v.object({ script: v.string(), line: Count, text: v.string() })),
  error: v.optional(v.string()),
});
export type RuleLogEntry = v.InferOutput<typeof Entry>;

export const ruleCalls = {
  /** The active script, or the one named "rules" if none is active. */
  RulesGet: {
    request: Nothing,
    response: v.object({
      name: v.string(),
      active: v.boolean(),
      items: v.array(RuleItem),
      text: v.string(),
      /** The account's other scripts. */
      others: v.array(v.string()),
    }),
  },
  /** The text of rules, and the rules of a text; nothing is stored. */
  RulesText: {
    request: v.strictObject({ script: Script }),
    response: v.object({
      problems: v.array(RuleProblem),
      text: v.string(),
      items: v.array(RuleItem),
    }),
  },
  /** Stores and activates; nothing is stored if there are problems. */
  RulesSave: {
    request: v.strictObject({ script: Script, active: v.boolean() }),
    response: v.object({
      problems: v.array(RuleProblem),
      text: v.string(),
      items: v.array(RuleItem),
    }),
  },
  /** What rules would do with the newest messages of a mailbox; nothing is changed. */
  RulesTry: {
    request: v.strictObject({
      script: Script,
      mailboxId: Id,
      limit: v.pipe(Count, v.maxValue(1000)),
    }),
    response: v.object({
      problems: v.array(RuleProblem),
      /** Number of examined messages. */
      looked: Count,
      tried: v.array(Tried),
    }),
  },
  /** Starts applying the stored rules to a mailbox: filing and marking, but no sending. */
  RulesApply: {
    request: v.strictObject({ mailboxId: Id }),
    response: v.object({ job: v.string() }),
  },
  RulesProgress: {
    request: v.strictObject({ job: text(100) }),
    response: v.object({
      done: Count,
      total: Count,
      changed: Count,
      finished: v.boolean(),
      error: v.nullable(v.string()),
    }),
  },
  /** Stops a running application, or undoes a finished one within 10 minutes. */
  RulesUndo: { request: v.strictObject({ job: text(100) }), response: v.object({ count: Count }) },
  /** What rules did recently; with an id, to that message. */
  RulesLog: {
    request: v.strictObject({ id: v.optional(Id) }),
    response: v.object({ entries: v.array(Entry) }),
  },
};
