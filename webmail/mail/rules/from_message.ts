/** Makes a rule from a message. @module */
import type { Condition, MessageItem, ParsedMessage, Rule } from "../../api/mod.ts";

/** The rule suggested for a message: for its mailing list if it has one, else for its sender. */
export function ruleFrom(item: MessageItem, headers: ParsedMessage["headers"]): Rule {
  const list = headers.find((h) => h.name.toLowerCase() === "list-id")?.value ?? "";
  // The id in angle brackets is stable; the text before it may change.
  const listId = /<([^<>]+)>/.exec(list)?.[1] ?? list.trim();
  const one = (field: Condition["field"], op: Condition["op"], value: string): Condition => ({
    field,
    op,
    not: false,
    value,
    header: "",
  });
  const sender = item.from[0]?.address ?? "";
  const conditions = listId !== ""
    ? [one("list", "contains", listId)]
    : sender !== ""
    ? [one("from", "is", sender)]
    : [one("subject", "contains", item.subject)];
  const name = listId || item.from[0]?.name || sender || item.subject;
  return {
    name: name.slice(0, 100),
    enabled: true,
    all: true,
    conditions,
    actions: [{ kind: "move", value: "" }, { kind: "stop", value: "" }],
  };
}
