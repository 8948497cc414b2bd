/** From rules to a Sieve script that people can read. @module */
import type { Condition, Rule, RuleItem } from "../../../../webmail/api/mod.ts";

/** A string of a script. */
function quoted(s: string): string {
  return `"${s.replace(/["\\]/g, "\\$&")}"`;
}

/** A text of several lines. */
function multiLine(s: string): string {
  const text = s.replace(/\r?\n/g, "\n").replace(/\n$/, "");
  if (!text.includes("\n")) return quoted(text);
  return `text:\n${text.split("\n").map((l) => l.startsWith(".") ? `.${l}` : l).join("\n")}\n.\n`;
}

const fields: Readonly<Record<string, string>> = {
  from: `"from"`,
  to: `["to", "cc"]`,
  subject: `"subject"`,
  list: `"list-id"`,
};

function testOf(condition: Condition, needs: Set<string>): string {
  switch (condition.field) {
    case "size":
      return `size :${condition.op === "under" ? "under" : "over"} ${
        /^\d{1,12}[KMG]?$/i.test(condition.value) ? condition.value.toUpperCase() : "0"
      }`;
    case "attachment":
      needs.add("mime");
      return `header :mime :anychild :contains "content-disposition" "attachment"`;
    case "book":
      needs.add("extlists");
      return `address :list "from" ":addrbook:default"`;
    default: {
      const name = condition.field === "header"
        ? quoted(condition.header)
        : fields[condition.field];
      // An address alone is compared as one; a part of it may be of the name too.
      const test = condition.op === "is" && (condition.field === "from" || condition.field === "to")
        ? "address"
        : "header";
      const op = condition.op === "is" || condition.op === "matches" ? condition.op : "contains";
      return `${test} :${op} ${name} ${quoted(condition.value)}`;
    }
  }
}

function conditionsOf(rule: Rule, needs: Set<string>): string {
  const tests = rule.conditions.map((c) => (c.not ? "not " : "") + testOf(c, needs));
  const join = tests.length === 0
    ? "true"
    : tests.length === 1
    ? tests[0]
    : `${rule.all ? "allof" : "anyof"} (${tests.join(rule.enabled ? ",\n  " : ", ")})`;
  if (rule.enabled) return join;
  // As Roundcube has it, which shows such rules as off. What has several lines can't be a comment.
  return /[\r\n]/.test(join) ? `allof (false, ${join})` : `false # ${join}\n`;
}

function actionsOf(rule: Rule, needs: Set<string>): string[] {
  const need = (name: string, command: string) => {
    needs.add(name);
    return command;
  };
  // Marks come before what they are for.
  const marks = new Set(["label", "star", "read"]);
  const sorted = [
    ...rule.actions.filter((a) => marks.has(a.kind)),
    ...rule.actions.filter((a) => !marks.has(a.kind) && a.kind !== "stop"),
    ...rule.actions.filter((a) => a.kind === "stop").slice(0, 1),
  ];
  return sorted.map(({ kind, value }) => {
    switch (kind) {
      case "move":
        return need("fileinto", `fileinto ${quoted(value)};`);
      case "copy":
        needs.add("fileinto");
        return need("copy", `fileinto :copy ${quoted(value)};`);
      case "trash":
        needs.add("fileinto");
        return need("special-use", `fileinto :specialuse "\\\\Trash" "Trash";`);
      case "label":
        return need("imap4flags", `addflag ${quoted(value)};`);
      case "star":
        return need("imap4flags", `addflag "\\\\Flagged";`);
      case "read":
        return need("imap4flags", `addflag "\\\\Seen";`);
      case "forward":
        return `redirect ${quoted(value)};`;
      case "forwardCopy":
        return need("copy", `redirect :copy ${quoted(value)};`);
      case "discard":
        return "discard;";
      case "reply":
        return need("vacation", `vacation ${multiLine(value)};`);
      case "refuse":
        return need("reject", `reject ${multiLine(value)};`);
      case "stop":
        return "stop;";
    }
  });
}

function ruleText(rule: Rule, needs: Set<string>): string {
  const name = rule.name.replace(/[\p{Cc}\]]/gu, " ").trim();
  // Lines within a text must stay as they are.
  const actions = actionsOf(rule, needs).map((a) => `  ${a}\n`).join("");
  const test = conditionsOf(rule, needs);
  return `# rule:[${name}]\nif ${test}${test.endsWith("\n") ? "" : " "}{\n${actions}}\n`;
}

/**
 * The whole script.
 * @param required extensions that parts which are no rules need
 */
export function writeRules(items: readonly RuleItem[], required: readonly string[]): string {
  const needs = new Set(items.some((i) => "text" in i) ? required : []);
  const parts = items.map((i) =>
    "rule" in i ? ruleText(i.rule, needs) : `${i.text.replace(/\s+$/, "")}\n`
  );
  const list = [...needs].sort().map(quoted).join(", ");
  return [...(list === "" ? [] : [`require [${list}];\n`]), ...parts].join("\n");
}
