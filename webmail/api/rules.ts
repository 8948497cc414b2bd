/** Rules for arriving mail, as the webmail's settings show them; on the server they are a Sieve script. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "./basics.ts";

/** What is looked at. "all": every message; "header" is any other field, named beside it. */
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
  /** Of texts; a size is "over" or "under". */
  op: v.picklist(["contains", "is", "matches", "over", "under", "has"]),
  not: v.boolean(),
  /** Text, or a size in bytes with K or M behind it. */
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
  /** Mailbox, label, address or text. */
  value: text(10_000),
});
export type RuleAction = v.InferOutput<typeof RuleAction>;

export const Rule = v.strictObject({
  name: text(200),
  enabled: v.boolean(),
  /** All conditions must hold, or any of them; none: every message. */
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

/** Something wrong with a script; lines and columns count from 1. */
export const RuleProblem = v.object({ line: Count, column: Count, message: v.string() });
export type RuleProblem = v.InferOutput<typeof RuleProblem>;

/** Rules as a list, or as the text of a script. */
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
  /** In words, without those that stay where they are. */
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
  /** The active script, or the one named "rules" if none is. */
  RulesGet: {
    request: Nothing,
    response: v.object({
      name: v.string(),
      active: v.boolean(),
      items: v.array(RuleItem),
      text: v.string(),
      /** Other scripts of the account. */
      others: v.array(v.string()),
    }),
  },
  /** The text that rules are written as, and rules that a text is; nothing is stored. */
  RulesText: {
    request: v.strictObject({ script: Script }),
    response: v.object({
      problems: v.array(RuleProblem),
      text: v.string(),
      items: v.array(RuleItem),
    }),
  },
  /** Stores and activates; with problems nothing is stored. */
  RulesSave: {
    request: v.strictObject({ script: Script, active: v.boolean() }),
    response: v.object({
      problems: v.array(RuleProblem),
      text: v.string(),
      items: v.array(RuleItem),
    }),
  },
  /** What rules would do with the newest messages of a mailbox; nothing is done. */
  RulesTry: {
    request: v.strictObject({
      script: Script,
      mailboxId: Id,
      limit: v.pipe(Count, v.maxValue(1000)),
    }),
    response: v.object({
      problems: v.array(RuleProblem),
      /** Messages looked at. */
      looked: Count,
      tried: v.array(Tried),
    }),
  },
  /** Begins to apply the stored rules to a mailbox: what files and marks, nothing that is sent. */
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
  /** Ends an application that runs, or takes a finished one back, within 10 minutes. */
  RulesUndo: { request: v.strictObject({ job: text(100) }), response: v.object({ count: Count }) },
  /** What rules did lately; with an id, with that message. */
  RulesLog: {
    request: v.strictObject({ id: v.optional(Id) }),
    response: v.object({ entries: v.array(Entry) }),
  },
};
