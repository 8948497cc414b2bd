/**
 * What the account and admin pages have in common: a frame with sections, tables, and forms in dialogs.
 *
 * @module
 */
import { button } from "./button.ts";
import { openDialog } from "./dialog.ts";
import { type Child, el, field, fill } from "./dom.ts";
import { attempt } from "./notify.ts";

/** A section of the page, reached by its name in the address (#name). */
export interface Section {
  id: string;
  title: string;
  /** Makes the content anew each time it is shown. */
  show: () => Child | Promise<Child>;
}

export interface Frame {
  /** Shows the section that the address names, with what is so now. */
  refresh(): Promise<void>;
}

/** Shows the frame. */
export function frame(
  into: HTMLElement,
  o: { title: string; who: string; sections: readonly Section[]; logout: () => unknown },
): Frame {
  const content = el("main", { class: "page-content", tabindex: -1 });
  const links = new Map(o.sections.map((s) => [s.id, el("a", { href: `#${s.id}` }, s.title)]));
  let turn = 0;
  const refresh = async () => {
    const id = location.hash.slice(1);
    const section = o.sections.find((s) => s.id === id) ?? o.sections[0];
    for (const [name, a] of links) {
      if (name === section.id) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    }
    document.title = `${section.title} – ${o.title}`;
    const mine = ++turn;
    await attempt(async () => {
      const shown = await section.show();
      if (mine === turn) fill(content, el("h1", {}, section.title), shown);
    });
  };
  addEventListener("hashchange", () => void refresh());
  fill(
    into,
    el(
      "div",
      { class: "page" },
      el(
        "header",
        { class: "top" },
        el("strong", {}, o.title),
        el("span", { class: "who" }, o.who),
        el("span", { class: "grow" }),
        button("Log out", o.logout, { attributes: { class: "quiet" } }),
      ),
      el(
        "div",
        { class: "page-below" },
        el(
          "nav",
          { "aria-label": "Sections" },
          el("ul", {}, [...links.values()].map((a) => el("li", {}, a))),
        ),
        content,
      ),
    ),
  );
  void refresh();
  return { refresh };
}

/** A table; empty ones say so. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) return el("p", { class: "none" }, empty);
  return el(
    "div",
    { class: "table-scroll", tabindex: 0, role: "region", "aria-label": heads.join(", ") },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, rows.map((r) => el("tr", {}, r.map((c) => el("td", {}, c))))),
    ),
  );
}

/** Names and values. */
export function facts(list: readonly (readonly [string, Child])[]): HTMLElement {
  return el("dl", { class: "facts" }, list.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
}

/** A part of a section. */
export function part(title: string, ...content: Child[]): HTMLElement {
  return el("section", {}, el("h2", {}, title), content);
}

/** A field of a form. */
export interface FormField {
  name: string;
  label: string;
  value?: string | boolean;
  type?: "text" | "password" | "number" | "email" | "checkbox" | "textarea" | "datetime-local";
  explanation?: string;
  /** Choices, for a list. */
  options?: readonly string[];
  required?: boolean;
  autocomplete?: string;
}

/**
 * Asks for some values in a dialog; errors of `submit` are told and the dialog stays.
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
  const form = el(
    "form",
    {
      onsubmit: (e: Event) => {
        e.preventDefault();
        attempt(async () => {
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
        ? el("label", { class: "checkbox", title: f.explanation }, input, f.label)
        : field(f.label, input, f.explanation)
    ),
    el(
      "div",
      { class: "buttons" },
      button("Cancel", () => dialog.close()),
      el("button", { type: "submit", class: "primary" }, action),
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
      f.options.map((o) => el("option", { value: o, selected: o === f.value }, o || "–")),
    );
  }
  if (f.type === "textarea") {
    const t = el("textarea", { rows: 5, required: f.required });
    t.value = String(f.value ?? "");
    return t;
  }
  if (f.type === "checkbox") return el("input", { type: "checkbox", checked: f.value === true });
  return el("input", {
    type: f.type ?? "text",
    value: String(f.value ?? ""),
    required: f.required,
    autocomplete: f.autocomplete ?? "off",
    step: f.type === "number" ? "any" : null,
  });
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
      button("Copy", () => navigator.clipboard?.writeText(secret)),
    ),
  );
}
