/** Creates or changes a rule. @module */
import type { Condition, ConditionField, Rule, RuleAction } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import { actionWords, fieldWords, withValue } from "./words.ts";
import { t } from "../../lib/text.ts";

/** A rule that does nothing yet. */
export const emptyRule: Rule = {
  name: "",
  enabled: true,
  all: true,
  conditions: [{ field: "from", op: "contains", not: false, value: "", header: "" }],
  actions: [{ kind: "move", value: "" }, { kind: "stop", value: "" }],
};

const options = <T extends string>(list: readonly (readonly [T, string])[], chosen: string) =>
  list.map(([v, text]) => el("option", { value: v, selected: v === chosen }, text));

/** Comparisons, with their negations as choices of their own. */
const ways: readonly (readonly [string, string])[] = [
  ["contains", t("contains")],
  ["not contains", t("doesn't contain")],
  ["is", t("is")],
  ["not is", t("isn't")],
  ["matches", t("matches (* and ?)")],
  ["not matches", t("doesn't match")],
];
const sizes: readonly (readonly [string, string])[] = [
  ["over", t("is over")],
  ["under", t("is under")],
];
const there: readonly (readonly [string, string])[] = [["has", t("yes")], ["not has", t("no")]];

function waysFor(f: ConditionField) {
  return f === "size" ? sizes : f === "attachment" || f === "book" ? there : ways;
}

/** A row that can be removed. */
function row(children: HTMLElement[], what: string, remove: () => void): HTMLElement {
  const out = button(t("Remove"), remove, {
    title: t("Remove this {0}", what),
    attributes: { class: "quiet" },
  });
  return el("div", { class: "rule-row", role: "group", "aria-label": what }, children, out);
}

function conditionRow(condition: Condition, change: () => void, remove: () => void): HTMLElement {
  const value = el("input", {
    type: "text",
    value: condition.value,
    "aria-label": t("Text"),
    required: true,
  });
  value.addEventListener("input", () => condition.value = value.value);
  const header = el("input", {
    type: "text",
    value: condition.header,
    "aria-label": t("Name of the field"),
    placeholder: "X-Mailer",
  });
  header.addEventListener("input", () => condition.header = header.value);
  const choice = el(
    "select",
    { "aria-label": t("What is looked at") },
    options(Object.entries(fieldWords) as [ConditionField, string][], condition.field),
  );
  choice.addEventListener("change", () => {
    condition.field = choice.value as ConditionField;
    const [first] = waysFor(condition.field)[0];
    if (!waysFor(condition.field).some(([w]) => w.replace("not ", "") === condition.op)) {
      condition.op = first as Condition["op"];
      condition.not = false;
    }
    if (condition.field === "size") condition.value = "1M";
    change();
  });
  const way = el(
    "select",
    { "aria-label": t("How it is compared") },
    options(waysFor(condition.field), `${condition.not ? "not " : ""}${condition.op}`),
  );
  way.addEventListener("change", () => {
    condition.not = way.value.startsWith("not ");
    condition.op = way.value.replace("not ", "") as Condition["op"];
  });
  if (condition.field === "size") value.title = t("In bytes, or with K or M: 500K, 2M");
  const parts: HTMLElement[] = [choice];
  if (condition.field === "header") parts.push(header);
  parts.push(way);
  if (condition.field !== "attachment" && condition.field !== "book") parts.push(value);
  return row(parts, "condition", remove);
}

function actionRow(
  action: RuleAction,
  mailboxes: readonly string[],
  change: () => void,
  remove: () => void,
): HTMLElement {
  const choice = el(
    "select",
    { "aria-label": t("What is done") },
    options(Object.entries(actionWords) as [RuleAction["kind"], string][], action.kind),
  );
  choice.addEventListener("change", () => {
    action.kind = choice.value as RuleAction["kind"];
    action.value = "";
    change();
  });
  const parts: HTMLElement[] = [choice];
  if (action.kind === "move" || action.kind === "copy") {
    const input = el("input", {
      type: "text",
      value: action.value,
      list: "rule-mailboxes",
      "aria-label": t("Mailbox"),
      required: true,
    });
    input.addEventListener("input", () => action.value = input.value);
    parts.push(
      input,
      el("datalist", { id: "rule-mailboxes" }, mailboxes.map((m) => el("option", { value: m }))),
    );
  } else if (action.kind === "reply" || action.kind === "refuse") {
    const text = el("textarea", { rows: 3, "aria-label": t("Text"), required: true });
    text.value = action.value;
    text.addEventListener("input", () => action.value = text.value);
    parts.push(text);
  } else if (withValue.has(action.kind)) {
    const email = action.kind !== "label";
    const input = el("input", {
      type: email ? "email" : "text",
      value: action.value,
      "aria-label": email ? t("Address") : t("Label"),
      required: true,
    });
    input.addEventListener("input", () => action.value = input.value);
    parts.push(input);
  }
  return row(parts, "action", remove);
}

/** Shows the editor; `keep` gets the rule. */
export function editRule(
  rule: Rule,
  mailboxes: readonly string[],
  keep: (rule: Rule) => void,
): void {
  const r: Rule = structuredClone(rule);
  const name = el("input", { type: "text", value: r.name, autocomplete: "off" });
  const join = el(
    "select",
    { "aria-label": t("How conditions are joined") },
    options(
      [["all", t("all of these are true")], ["any", t("any of these is true")]],
      r.all ? "all" : "any",
    ),
  );
  const conditions = el("div", { class: "rule-rows" });
  const actions = el("div", { class: "rule-rows" });
  const draw = () => {
    fill(
      conditions,
      r.conditions.length === 0 ? el("p", { class: "hint" }, t("Every message.")) : null,
      r.conditions.map((c) =>
        conditionRow(c, draw, () => {
          r.conditions = r.conditions.filter((x) => x !== c);
          draw();
        })
      ),
    );
    fill(
      actions,
      r.actions.map((a) =>
        actionRow(a, mailboxes, draw, () => {
          r.actions = r.actions.filter((x) => x !== a);
          draw();
        })
      ),
    );
  };
  draw();
  const submit = (event: Event) => {
    event.preventDefault();
    if (r.actions.length === 0) return;
    keep({ ...r, name: name.value.trim(), all: join.value === "all" });
    dialog.close();
  };
  const dialog = openDialog(
    t("Rule"),
    el(
      "form",
      { onsubmit: submit, class: "rule-form" },
      field(t("Name"), name),
      el(
        "fieldset",
        {},
        el("legend", {}, t("When "), join),
        conditions,
        button(t("Add a condition"), () => {
          r.conditions.push({ ...emptyRule.conditions[0] });
          draw();
        }),
      ),
      el(
        "fieldset",
        {},
        el("legend", {}, t("Then")),
        actions,
        button(t("Add an action"), () => {
          r.actions.push({ kind: "read", value: "" });
          draw();
        }),
      ),
      el(
        "div",
        { class: "buttons" },
        button(t("Cancel"), () => dialog.close()),
        el("button", { type: "submit", class: "primary" }, t("Keep rule")),
      ),
    ),
    { wide: true },
  );
  name.focus();
}
