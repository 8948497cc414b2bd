/** From a Sieve script to rules; what can't be shown as one stays text. @module */
import type { Condition, Rule, RuleAction, RuleItem } from "../../../../webmail/api/mod.ts";
import { type Argument, type SyntaxNode, syntaxOf } from "../../../sieve/mod.ts";

/** A script taken apart. */
export interface ReadRules {
  items: RuleItem[];
  /** Extensions that it requires. */
  required: string[];
}

const text = (a: Argument | undefined) => a?.kind === "string" ? a.text : undefined;
const texts = (a: Argument | undefined) =>
  a?.kind === "list" ? a.items.map((i) => i.text) : a?.kind === "string" ? [a.text] : [];
const tags = (n: SyntaxNode) => n.args.flatMap((a) => a.kind === "tag" ? [a.name] : []);
const others = (n: SyntaxNode) => n.args.filter((a) => a.kind !== "tag");

const plain: Condition = { field: "subject", op: "contains", not: false, value: "", header: "" };

function conditionOf(node: SyntaxNode): Condition | undefined {
  if (node.name === "not" && node.tests.length === 1) {
    const inner = conditionOf(node.tests[0]);
    return inner && !inner.not ? { ...inner, not: true } : undefined;
  }
  if (node.tests.length > 0) return undefined;
  const [given, args] = [tags(node), others(node)];
  const is = (...wanted: string[]) => given.join(" ") === wanted.join(" ");
  if (node.name === "size" && (is("over") || is("under")) && args[0]?.kind === "number") {
    return { ...plain, field: "size", op: given[0] as "over", value: sizeText(args[0].value) };
  }
  const [names, keys] = [texts(args[0]).map((t) => t.toLowerCase()), texts(args[1])];
  if (args.length !== 2 || keys.length !== 1) return undefined;
  if (node.name === "header" && is("mime", "anychild", "contains")) {
    const found = names.join() === "content-disposition" && keys[0] === "attachment";
    return found ? { ...plain, field: "attachment", op: "has" } : undefined;
  }
  if (node.name === "address" && is("list")) {
    const found = names.join() === "from" && keys[0] === ":addrbook:default";
    return found ? { ...plain, field: "book", op: "has" } : undefined;
  }
  const op = given.length === 0 ? "is" : given.length === 1 ? given[0] : "";
  if (op !== "contains" && op !== "is" && op !== "matches") return undefined;
  const field =
    ({ from: "from", "to,cc": "to", subject: "subject", "list-id": "list" } as const)[names.join()];
  const address = field === "from" || field === "to";
  if (node.name !== "header" && node.name !== "address") return undefined;
  // An address that is compared whole is written as such; else it is the text of a field.
  const fits = (node.name === "address") === (address && op === "is");
  if (field && fits) return { ...plain, field, op, value: keys[0] };
  return node.name === "header" && names.length === 1
    ? { ...plain, field: "header", op, value: keys[0], header: names[0] }
    : undefined;
}

function sizeText(n: number): string {
  if (n > 0 && n % (1024 * 1024) === 0) return `${n / 1024 / 1024}M`;
  return n > 0 && n % 1024 === 0 ? `${n / 1024}K` : String(n);
}

function conditionsOf(node: SyntaxNode): Pick<Rule, "all" | "conditions"> | undefined {
  if (node.name === "true" && node.args.length === 0) return { all: true, conditions: [] };
  const joined = (node.name === "allof" || node.name === "anyof") && node.testList;
  const tests = joined ? node.tests : [node];
  const conditions = tests.map(conditionOf);
  if (conditions.includes(undefined)) return undefined;
  return { all: node.name !== "anyof", conditions: conditions as Condition[] };
}

function actionOf(node: SyntaxNode): RuleAction | undefined {
  if (node.tests.length > 0 || node.block) return undefined;
  const [given, args] = [tags(node), others(node)];
  const value = text(args[0]);
  const named = `${node.name} ${given.map((t) => `:${t}`).join(" ")}`.trim();
  if (named === "stop" && args.length === 0) return { kind: "stop", value: "" };
  if (named === "discard" && args.length === 0) return { kind: "discard", value: "" };
  if (named === "fileinto :specialuse" && value === "\\Trash") return { kind: "trash", value: "" };
  if (args.length !== 1 || value === undefined) return undefined;
  switch (named) {
    case "fileinto":
      return { kind: "move", value };
    case "fileinto :copy":
      return { kind: "copy", value };
    case "redirect":
      return { kind: "forward", value };
    case "redirect :copy":
      return { kind: "forwardCopy", value };
    case "vacation":
      return { kind: "reply", value: value.replace(/\r\n/g, "\n").replace(/\n$/, "") };
    case "reject":
      return { kind: "refuse", value: value.replace(/\r\n/g, "\n").replace(/\n$/, "") };
    case "addflag": {
      const flag = value.toLowerCase();
      if (flag === "\\flagged") return { kind: "star", value: "" };
      if (flag === "\\seen") return { kind: "read", value: "" };
      return /[\s\\]/.test(value) ? undefined : { kind: "label", value };
    }
    default:
      return undefined;
  }
}

function ruleOf(node: SyntaxNode, name: string): Rule | undefined {
  if (node.name !== "if" || node.args.length > 0 || node.tests.length !== 1 || !node.block) {
    return undefined;
  }
  let [test] = node.tests;
  let enabled = true;
  if (test.name === "allof" && test.tests[0]?.name === "false" && test.tests.length === 2) {
    enabled = false;
    test = test.tests[1];
  }
  const c = conditionsOf(test);
  const actions = node.block.map(actionOf);
  if (!c || actions.length === 0 || actions.includes(undefined)) return undefined;
  return { name, enabled, ...c, actions: actions as RuleAction[] };
}

/** A rule that is off as Roundcube writes it: the test is a comment up to the end of its line. */
const offLine = /^if[ \t]+false[ \t]*#[ \t]*([^\n]*)\n/;

/** A command as a rule; one that is off is read as if it were on. */
function ruleAt(script: string, node: SyntaxNode, name: string): Rule | undefined {
  const source = script.slice(node.at, node.end);
  const off = offLine.exec(source);
  if (!off) return ruleOf(node, name);
  const inner = syntaxOf(`if ${off[1]}\n${source.slice(off[0].length)}`);
  const rule = inner?.length === 1 ? ruleOf(inner[0], name) : undefined;
  return rule?.enabled ? { ...rule, enabled: false } : undefined;
}

/** Comments and blanks that stand before a command, back to the one before it. */
const nameLine = /^[ \t]*#[ \t]*rule:\[(.*)\][ \t]*$/;

/** Takes a script apart. A wrong one is all text. */
export function readRules(script: string): ReadRules {
  const nodes = syntaxOf(script);
  const required: string[] = [];
  if (!nodes) return { items: [{ text: script }], required };
  const items: RuleItem[] = [];
  const addText = (t: string) => {
    const trimmed = t.replace(/^\s*\n/, "").trimEnd();
    if (trimmed === "") return;
    const last = items[items.length - 1];
    if (last && "text" in last) last.text += `\n${trimmed}`;
    else items.push({ text: trimmed });
  };
  let at = 0;
  for (let i = 0; i < nodes.length; i++) {
    const n = nodes[i];
    if (n.name === "require") {
      required.push(...texts(n.args[0]));
      at = n.end;
      continue;
    }
    let end = n.end;
    let chained = false;
    while (nodes[i + 1]?.name === "elsif" || nodes[i + 1]?.name === "else") {
      chained = true;
      end = nodes[++i].end;
    }
    const before = script.slice(at, n.at);
    const lines = before.split("\n");
    const name = lines.map((l) => nameLine.exec(l)?.[1]).findLast((x) => x !== undefined);
    const rule = chained ? undefined : ruleAt(script, n, name ?? "");
    // Comments that are no name would be lost.
    const more = lines.filter((l) => l.trim() !== "" && !nameLine.test(l));
    if (rule && more.length === 0) items.push({ rule });
    else addText(script.slice(at, end));
    at = end;
  }
  addText(script.slice(at));
  return { items, required };
}
