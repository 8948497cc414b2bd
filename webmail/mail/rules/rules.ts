/** The account's rules: their list, order and text, trying and applying them. @module */
import { call } from "../../api/client.ts";
import type { Mailbox, Rule, RuleItem, RuleProblem, RuleScript } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { countText } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { sortedMailboxes } from "../names.ts";
import { editRule, emptyRule } from "./editor.ts";
import { applyRules, showLog, tryRules } from "./trying.ts";
import { thenText, whenText } from "./words.ts";
import { t } from "../../lib/text.ts";

/** Shows the rules; `first` is offered as a new one. */
export function openRules(all: Iterable<Mailbox>, first?: Rule): void {
  attempt(async () => {
    const got = await call("RulesGet", {});
    const mailboxes = sortedMailboxes(all).map((m) => m.mailbox);
    new RulesDialog(got, mailboxes, first);
  });
}

class RulesDialog {
  #items: RuleItem[];
  #text: string | undefined;
  readonly #mailboxes: readonly Mailbox[];
  readonly #list = el("ol", {
    class: "rules",
    "aria-label": t("Rules, in the order in which they run"),
  });
  readonly #problems = el("div", { role: "alert" });
  readonly #body = el("div", {});
  readonly #active: HTMLInputElement;
  #changed = false;
  #dragged: RuleItem | undefined;

  constructor(
    got: { name: string; active: boolean; items: RuleItem[]; text: string; others: string[] },
    mailboxes: readonly Mailbox[],
    first: Rule | undefined,
  ) {
    this.#items = got.items;
    this.#mailboxes = mailboxes;
    this.#active = el("input", { type: "checkbox", checked: got.active || got.text === "" });
    this.#active.addEventListener("change", () => this.#changed = true);
    const dialog = openDialog(
      t("Rules for arriving mail"),
      el(
        "div",
        { class: "rules-dialog" },
        this.#body,
        this.#problems,
        el("label", { class: "checkbox" }, this.#active, el("span", {}, t("Rules are on"))),
        got.others.length > 0
          ? el(
            "p",
            { class: "hint" },
            t("Other scripts, which mail programs see: {0}.", got.others.join(", ")),
          )
          : null,
        el(
          "div",
          { class: "buttons" },
          button(t("Log"), () => showLog(undefined), { title: t("What rules did lately") }),
          button(t("Try on my mail"), () => tryRules(this.#script(), mailboxes), {
            title: t("What they would do with the last 1,000 messages; nothing is done"),
          }),
          button(t("Apply to a mailbox"), () => this.#apply(), {
            title: t("To messages that are there already"),
          }),
          button(t("Cancel"), () => dialog.close()),
          button(t("Save"), () => this.#save(() => dialog.close()), { primary: true }),
        ),
      ),
      { wide: true },
    );
    this.#draw();
    if (first) this.#edit(first, undefined);
  }

  #names(): string[] {
    return this.#mailboxes.map((m) => m.name);
  }

  #script(): RuleScript {
    return this.#text === undefined ? { items: this.#items } : { text: this.#text };
  }

  #edit(rule: Rule, item: RuleItem | undefined): void {
    editRule(rule, this.#names(), (r) => {
      this.#changed = true;
      const next = { rule: r };
      this.#items = item ? this.#items.map((i) => i === item ? next : i) : [next, ...this.#items];
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#text !== undefined) return this.#drawText(this.#text);
    fill(this.#list, this.#items.map((i, at) => this.#row(i, at)));
    fill(
      this.#body,
      this.#items.length === 0
        ? el("p", {}, t("No rules yet: all messages are kept."))
        : this.#list,
      el(
        "div",
        { class: "buttons start" },
        button(t("Add a rule"), () => this.#edit(emptyRule, undefined)),
        button(t("Edit as text"), () => this.#toText(), {
          title: t("As the Sieve script that they are stored as"),
        }),
      ),
    );
  }

  /** Moves an item, and focuses it. */
  #move(item: RuleItem, to: number): void {
    const from = this.#items.indexOf(item);
    if (to < 0 || to >= this.#items.length || from < 0 || from === to) return;
    const rest = this.#items.filter((i) => i !== item);
    this.#items = [...rest.slice(0, to), item, ...rest.slice(to)];
    this.#changed = true;
    this.#draw();
    (this.#list.children[to] as HTMLElement | undefined)?.focus();
  }

  #row(item: RuleItem, at: number): HTMLElement {
    const keys = (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget) return;
      if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        this.#move(item, at + (event.key === "ArrowUp" ? -1 : 1));
      }
    };
    const li = el(
      "li",
      {
        draggable: "true",
        tabindex: 0,
        "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown",
        onkeydown: keys,
        ondragstart: () => this.#dragged = item,
        ondragover: (e: DragEvent) => e.preventDefault(),
        ondrop: (event: DragEvent) => {
          event.preventDefault();
          if (this.#dragged) this.#move(this.#dragged, at);
        },
      },
      "rule" in item
        ? this.#ruleText(item, item.rule)
        : el("pre", { class: "rule-text" }, item.text),
      el(
        "div",
        { class: "rule-tools" },
        "rule" in item
          ? button(t("Edit"), () => this.#edit(item.rule, item))
          : button(t("Edit as text"), () => this.#toText()),
        button(t("Up"), () => this.#move(item, at - 1), {
          title: t("Alt with the arrow keys moves a rule too"),
        }),
        button(t("Down"), () => this.#move(item, at + 1)),
        button(t("Remove"), () => {
          this.#items = this.#items.filter((i) => i !== item);
          this.#changed = true;
          this.#draw();
        }),
      ),
    );
    return li;
  }

  #ruleText(item: RuleItem, rule: Rule): HTMLElement {
    const on = el("input", {
      type: "checkbox",
      checked: rule.enabled,
      "aria-label": t("Rule {0} is on", rule.name || t("without a name")),
    });
    on.addEventListener("change", () => {
      this.#items = this.#items.map((i) =>
        i === item ? { rule: { ...rule, enabled: on.checked } } : i
      );
      this.#changed = true;
      this.#draw();
    });
    return el(
      "div",
      { class: rule.enabled ? "rule" : "rule off" },
      on,
      el(
        "div",
        {},
        rule.name === "" ? null : el("strong", {}, rule.name),
        el("p", {}, whenText(rule)),
        el("p", {}, thenText(rule)),
      ),
    );
  }

  #toText(): void {
    attempt(async () => {
      // The text of what is shown; it is only saved on request.
      const r = await call("RulesText", { script: this.#script() });
      this.#text = r.text;
      this.#draw();
    });
  }

  #drawText(text: string): void {
    const area = el("textarea", {
      rows: 18,
      class: "sieve-text",
      spellcheck: "false",
      "aria-label": t("Sieve script"),
    });
    area.value = text;
    area.addEventListener("input", () => {
      this.#text = area.value;
      this.#changed = true;
    });
    fill(
      this.#body,
      area,
      el(
        "div",
        { class: "buttons start" },
        button(t("Show as rules"), () =>
          attempt(async () => {
            const r = await call("RulesText", { script: { text: area.value } });
            if (this.#show(r.problems)) return;
            this.#items = r.items;
            this.#text = undefined;
            this.#draw();
          })),
      ),
    );
  }

  /** Shows problems; returns whether there are any. */
  #show(problems: readonly RuleProblem[]): boolean {
    fill(
      this.#problems,
      problems.length === 0 ? null : el(
        "ul",
        { class: "error" },
        problems.map((p) =>
          el("li", {}, t("Line {0}, column {1}: {2}", p.line, p.column, p.message))
        ),
      ),
    );
    return problems.length > 0;
  }

  #save(then: () => void): void {
    attempt(async () => {
      const r = await call("RulesSave", { script: this.#script(), active: this.#active.checked });
      if (this.#show(r.problems)) {
        // Line numbers refer to the text.
        this.#text = r.text;
        this.#draw();
        return;
      }
      this.#items = r.items;
      this.#changed = false;
      notice(
        this.#active.checked
          ? t("{0} saved.", countText(r.items.length, "rule"))
          : t("Rules saved; they are off."),
      );
      then();
    });
  }

  #apply(): void {
    const go = () => applyRules(this.#mailboxes);
    if (this.#changed) this.#save(go);
    else go();
  }
}
