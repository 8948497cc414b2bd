/**
 * Building blocks for sections of the account and admin pages: tables, names with values, and forms in dialogs.
 *
 * @module
 */
import { button } from "./button.ts";
import { openDialog } from "./dialog.ts";
import { type Child, el, field, fill, newId, unseen } from "./dom.ts";
import { attempt, errorText, notice } from "./notify.ts";
import { t } from "./text.ts";

/** The head of a column: its text, or its properties. */
export type Column = string | {
  text: string;
  /** Numbers, aligned at the end. */
  number?: boolean;
  /** For screen readers only: for columns of checkboxes and buttons. */
  unseen?: boolean;
};

/** A table; an empty one says so. On a phone each row is a block with the heads beside the values. */
export function table(
  heads: readonly Column[],
  rows: readonly (readonly Child[])[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) return el("p", { class: "none" }, empty);
  const columns = heads.map((h) => typeof h === "string" ? { text: h } : h);
  const kind = (i: number) => columns[i]?.number ? "number" : null;
  // The roles are explicit, as the blocks on a phone take them away.
  return el(
    "div",
    {
      class: "table-scroll",
      tabindex: 0,
      role: "region",
      "aria-label": columns.map((h) => h.text).filter((t) => t !== "").join(", "),
    },
    el(
      "table",
      { role: "table" },
      el(
        "thead",
        { role: "rowgroup" },
        el(
          "tr",
          { role: "row" },
          columns.map((h, i) =>
            el(
              "th",
              { scope: "col", role: "columnheader", class: kind(i) },
              h.unseen ? unseen(h.text) : h.text,
            )
          ),
        ),
      ),
      el(
        "tbody",
        { role: "rowgroup" },
        rows.map((r) =>
          el(
            "tr",
            { role: "row" },
            r.map((c, i) => {
              const { text = "", unseen: hidden } = columns[i] ?? {};
              return el(
                "td",
                { role: "cell", class: kind(i), "data-head": text === "" || hidden ? null : text },
                el("div", {}, c),
              );
            }),
          )
        ),
      ),
    ),
  );
}

/** Rows that a list shows at first; a button shows the others. */
const rowsAtFirst = 25;

/** The first rows of a long list, and all of them on request. */
export function shortened<T>(list: readonly T[], show: (some: readonly T[]) => Child): HTMLElement {
  const into = el("div", { class: "stacked" });
  const all = () => fill(into, show(list));
  if (list.length <= rowsAtFirst) all();
  else {
    fill(
      into,
      show(list.slice(0, rowsAtFirst)),
      tools(button(t("Show all {0}", list.length), () => {
        all();
        into.querySelector<HTMLElement>(".table-scroll")?.focus();
      })),
    );
  }
  return into;
}

/** Names and values. */
export function facts(list: readonly (readonly [string, Child])[]): HTMLElement {
  return el("dl", { class: "facts" }, list.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
}

/** A part of a section. */
export function part(title: string, ...content: Child[]): HTMLElement {
  return el("section", {}, el("h2", {}, title), content);
}

/** What a section, or part of one, is about. */
export function lead(...text: Child[]): HTMLElement {
  return el("p", { class: "muted lead" }, text);
}

/** Buttons in a row. */
export function tools(...buttons: Child[]): HTMLElement {
  return el("div", { class: "tools" }, buttons);
}

/** A field of a form. */
export interface FormField {
  name: string;
  label: string;
  value?: string | boolean;
  type?: "text" | "password" | "number" | "email" | "checkbox" | "textarea" | "datetime-local";
  explanation?: string;
  /** Choices, for a select. */
  options?: readonly (string | { value: string; text: string })[];
  /** Suggestions, for a text field. */
  suggestions?: readonly string[];
  /** Smallest number, or lines of a text area. */
  min?: number;
  rows?: number;
  placeholder?: string;
  required?: boolean;
  autocomplete?: string;
}

/**
 * Asks for values in a dialog; errors of `submit` are shown and the dialog stays.
 * @param intro shown above the fields
 */
export function formDialog(
  title: string,
  fields: readonly FormField[],
  action: string,
  submit: (values: Record<string, string>) => Promise<unknown>,
  intro?: Child,
): void {
  const inputs = fields.map((f) => ({ f, input: inputOf(f) }));
  const error = el("p", { class: "error", role: "alert" });
  const submitButton = el("button", { type: "submit", class: "primary" }, action);
  const run = async (fn: () => Promise<void>) => {
    fill(error);
    submitButton.disabled = true;
    try {
      await fn();
    } catch (e) {
      fill(error, errorText(e));
    } finally {
      submitButton.disabled = false;
    }
  };
  const form = el(
    "form",
    {
      onsubmit: (event: Event) => {
        event.preventDefault();
        run(async () => {
          await submit(
            Object.fromEntries(inputs.map(({ f, input }) => [
              f.name,
              input instanceof HTMLInputElement && input.type === "checkbox"
                ? input.checked ? "yes" : ""
                : input.value,
            ])),
          );
          dialog.close();
        });
      },
    },
    intro,
    inputs.map(({ f, input }) =>
      f.type === "checkbox"
        ? el(
          "div",
          { class: "field" },
          el("label", { class: "checkbox" }, input, f.label),
          f.explanation === undefined ? null : el("p", { class: "hint" }, f.explanation),
        )
        : field(f.label, input, f.explanation)
    ),
    error,
    el(
      "div",
      { class: "buttons" },
      button(t("Cancel"), () => dialog.close()),
      submitButton,
    ),
  );
  const dialog = openDialog(title, form);
  inputs[0]?.input.focus();
}

function inputOf(f: FormField): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement {
  if (f.options !== undefined) {
    return el(
      "select",
      { required: f.required },
      f.options.map((o) => {
        const { value, text } = typeof o === "string" ? { value: o, text: o || "–" } : o;
        return el("option", { value, selected: value === f.value }, text);
      }),
    );
  }
  if (f.type === "textarea") {
    const t = el("textarea", {
      rows: f.rows ?? 5,
      required: f.required,
      placeholder: f.placeholder,
      spellcheck: "false",
    });
    t.value = String(f.value ?? "");
    return t;
  }
  if (f.type === "checkbox") return el("input", { type: "checkbox", checked: f.value === true });
  const input = el("input", {
    type: f.type ?? "text",
    value: String(f.value ?? ""),
    required: f.required,
    autocomplete: f.autocomplete ?? "off",
    step: f.type === "number" ? "any" : null,
    min: f.min,
    placeholder: f.placeholder,
  });
  if (f.suggestions !== undefined) {
    const id = newId("suggestions");
    input.setAttribute("list", id);
    // Added beside the field once that is in the page.
    queueMicrotask(() =>
      input.after(el("datalist", { id }, f.suggestions!.map((value) => el("option", { value }))))
    );
  }
  return input;
}

/** Shows a secret once, for copying. */
export function secretDialog(title: string, text: string, secret: string): void {
  openDialog(
    title,
    el(
      "div",
      { class: "secret" },
      el("p", {}, text),
      el("code", { tabindex: 0 }, secret),
      copyButton(secret),
    ),
  );
}

/** Copies a text and confirms that. */
export function copyButton(text: string, title?: string): HTMLButtonElement {
  return button(t("Copy"), () =>
    attempt(async () => {
      if (!navigator.clipboard) throw new Error(t("This browser lets pages copy over HTTPS only."));
      await navigator.clipboard.writeText(text);
      notice(t("Copied."));
    }), { title });
}
