/** Rules in words: "when … then …". @module */
import type { Condition, ConditionField, Rule, RuleAction } from "../../api/mod.ts";

/** What can be looked at, in the order in which it is offered. */
export const fieldWords: Readonly<Record<ConditionField, string>> = {
  from: "sender",
  to: "recipient (To or Cc)",
  subject: "subject",
  list: "mailing list (List-Id)",
  size: "size",
  attachment: "an attachment",
  book: "sender in my address book",
  header: "another header field",
};

/** What can be done. */
export const actionWords: Readonly<Record<RuleAction["kind"], string>> = {
  move: "move to",
  copy: "copy to",
  label: "add the label",
  star: "flag",
  read: "mark as read",
  forward: "forward to (and keep no copy)",
  forwardCopy: "forward a copy to",
  trash: "move to the trash",
  discard: "delete for good",
  reply: "reply with",
  refuse: "refuse with",
  stop: "stop: no further rules",
};

/** Kinds of actions that need a text. */
export const withValue: ReadonlySet<RuleAction["kind"]> = new Set([
  "move",
  "copy",
  "label",
  "forward",
  "forwardCopy",
  "reply",
  "refuse",
]);

function conditionText(c: Condition): string {
  const not = c.not ? "not " : "";
  switch (c.field) {
    case "attachment":
      return c.not ? "there is no attachment" : "there is an attachment";
    case "book":
      return `the sender is ${not}in my address book`;
    case "size":
      return `the size is ${not}${c.op} ${c.value}`;
    default: {
      const name = c.field === "header" ? c.header : fieldWords[c.field].replace(/ \(.*/, "");
      const verb = c.op === "contains"
        ? (c.not ? "doesn't contain" : "contains")
        : c.op === "is"
        ? `is ${not}`.trim()
        : c.not
        ? "doesn't match"
        : "matches";
      return `${name} ${verb} “${c.value}”`;
    }
  }
}

/** "When …". */
export function whenText(r: Rule): string {
  if (r.conditions.length === 0) return "Every message";
  return `When ${r.conditions.map(conditionText).join(r.all ? " and " : " or ")}`;
}

/** "then …". */
export function thenText(r: Rule): string {
  const words = r.actions.map((a) => {
    const word = actionWords[a.kind].replace(/ \(.*| (?:with|:).*/, "");
    if (a.kind === "reply" || a.kind === "refuse") return word;
    return withValue.has(a.kind) ? `${word} ${a.value}` : word;
  });
  return `then ${words.join(", ")}`;
}
