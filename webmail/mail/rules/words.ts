/** Rules as sentences: "when … then …". @module */
import type { Condition, ConditionField, Rule, RuleAction } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

/** What can be examined, in the order offered. */
export const fieldWords: Readonly<Record<ConditionField, string>> = {
  from: t("sender"),
  to: t("recipient (To or Cc)"),
  subject: t("subject"),
  list: t("mailing list (List-Id)"),
  size: t("size"),
  attachment: t("an attachment"),
  book: t("sender in my address book"),
  header: t("another header field"),
};

/** Possible actions. */
export const actionWords: Readonly<Record<RuleAction["kind"], string>> = {
  move: t("move to"),
  copy: t("copy to"),
  label: t("add the label"),
  star: t("flag"),
  read: t("mark as read"),
  forward: t("forward to (and keep no copy)"),
  forwardCopy: t("forward a copy to"),
  trash: t("move to the trash"),
  discard: t("delete for good"),
  reply: t("reply with"),
  refuse: t("refuse with"),
  stop: t("stop: no further rules"),
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

/** Names of what is examined, as used within a sentence. */
const names: Readonly<Partial<Record<ConditionField, string>>> = {
  from: t("sender"),
  to: t("recipient"),
  subject: t("subject"),
  list: t("mailing list"),
};

function conditionText(condition: Condition): string {
  switch (condition.field) {
    case "attachment":
      return condition.not ? t("there is no attachment") : t("there is an attachment");
    case "book":
      return condition.not
        ? t("the sender is not in my address book")
        : t("the sender is in my address book");
    case "size":
      return (condition.op === "over") !== condition.not
        ? t("the size is over {0}", condition.value)
        : t("the size is under {0}", condition.value);
    default: {
      const name = condition.field === "header"
        ? condition.header
        : names[condition.field] ?? condition.field;
      switch (condition.op) {
        case "contains":
          return condition.not
            ? t("{0} doesn't contain “{1}”", name, condition.value)
            : t("{0} contains “{1}”", name, condition.value);
        case "is":
          return condition.not
            ? t("{0} is not “{1}”", name, condition.value)
            : t("{0} is “{1}”", name, condition.value);
        default:
          return condition.not
            ? t("{0} doesn't match “{1}”", name, condition.value)
            : t("{0} matches “{1}”", name, condition.value);
      }
    }
  }
}

/** "When …". */
export function whenText(rule: Rule): string {
  if (rule.conditions.length === 0) return t("Every message");
  return t("When {0}", rule.conditions.map(conditionText).join(rule.all ? t(" and ") : t(" or ")));
}

function actionText({ kind, value }: RuleAction): string {
  switch (kind) {
    case "move":
      return t("move to {0}", value);
    case "copy":
      return t("copy to {0}", value);
    case "label":
      return t("add the label {0}", value);
    case "forward":
      return t("forward to {0}", value);
    case "forwardCopy":
      return t("forward a copy to {0}", value);
    case "reply":
      return t("reply");
    case "refuse":
      return t("refuse");
    case "stop":
      return t("stop");
    default:
      return actionWords[kind];
  }
}

/** "then …". */
export function thenText(rule: Rule): string {
  return t("then {0}", rule.actions.map(actionText).join(", "));
}
