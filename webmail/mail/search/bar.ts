/**
 * The search bar: a line of conditions with completion, and a form for those who prefer to click.
 *
 * @module
 */
import type { Address, Filter } from "../../api/mod.ts";
import { call } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill, newId } from "../../lib/dom.ts";
import { conditions, parseSearch, states, stateWords, tokens, tokenText } from "./syntax.ts";
import { t } from "../../lib/text.ts";

export interface SearchBarOptions {
  onSearch: (filter: Filter, text: string) => void;
  keywords: () => string[];
}

export interface SearchBar {
  root: HTMLElement;
  /** The last search; "" if none. */
  text(): string;
  set(text: string): void;
  /** Searches as if the text had been typed. */
  run(text: string): void;
  focus(): void;
  /** Sets the name of the mailbox that is searched. */
  setPlace(name: string): void;
}

/** Creates the bar. */
export function searchBar(options: SearchBarOptions): SearchBar {
  let searched = "";
  const listId = newId("search-list");
  const list = el("ul", {
    id: listId,
    role: "listbox",
    class: "completions",
    "aria-label": t("Completions"),
  });
  list.hidden = true;
  const problem = el("span", { class: "search-problem", role: "status" });
  const input = el("input", {
    type: "search",
    placeholder: t("Search"),
    "aria-label": t("Search messages"),
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    title: t("Words, or conditions such as from:ann, is:unread, has:attachment. Key: /"),
  });
  let choices: string[] = [];
  let chosen = -1;
  let asked = 0;

  const showChoices = (texts: string[]) => {
    choices = texts;
    chosen = -1;
    list.hidden = texts.length === 0;
    input.setAttribute("aria-expanded", String(texts.length > 0));
    input.removeAttribute("aria-activedescendant");
    fill(
      list,
      texts.map((t, i) =>
        el(
          "li",
          {
            role: "option",
            id: `${listId}-${i}`,
            "aria-selected": "false",
            dir: "auto",
            onmousedown: (event: Event) => {
              event.preventDefault();
              take(i);
            },
          },
          t,
        )
      ),
    );
  };
  const mark = (i: number) => {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = i;
    const row = list.children[i];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const take = (i: number) => {
    const before = input.value.replace(/(?:[^\s"]|"[^"]*"?)*$/, "");
    const choice = choices[i];
    input.value = `${before}${choice}${choice.endsWith(":") ? "" : " "}`;
    showChoices([]);
    input.focus();
    complete();
  };

  /** Suggests completions for the last token. */
  async function complete(): Promise<void> {
    const turn = ++asked;
    const last = /(?:[^\s"]|"[^"]*"?)*$/.exec(input.value)![0];
    if (last === "") return showChoices([]);
    const [token] = tokens(last);
    if (token === undefined) return showChoices([]);
    const { name, value, not } = token;
    const fit = (values: string[]) =>
      values.filter((v) => v.toLowerCase().startsWith(value.toLowerCase()) && v !== value)
        .map((v) => tokenText(name, v, not));
    if (name === "") {
      const word = last.replace(/^-/, "").toLowerCase();
      return showChoices(
        conditions.filter((c) => c.name.startsWith(word)).map((c) => `${not ? "-" : ""}${c.name}:`),
      );
    }
    if (name === "is") return showChoices(fit(Object.keys(states)));
    if (name === "has") return showChoices(fit(["attachment"]));
    if (name === "label") return showChoices(fit(options.keywords()));
    if ((name === "from" || name === "to") && value.length > 0) {
      let addresses: Address[] = [];
      try {
        ({ addresses } = await call("AddressComplete", { text: value }));
      } catch {
        // Typing works without completion.
      }
      if (turn === asked) {
        showChoices(addresses.slice(0, 8).map((a) => tokenText(name, a.address, not)));
      }
      return;
    }
    showChoices([]);
  }

  const submit = () => {
    showChoices([]);
    asked++;
    searched = input.value.trim();
    const { filter, problems } = parseSearch(searched);
    fill(problem, problems.join(". "));
    if (problems.length === 0) options.onSearch(filter, searched);
  };
  input.addEventListener("input", () => {
    if (input.value === "" && searched !== "") submit();
    else complete();
  });
  input.addEventListener("blur", () => showChoices([]));
  input.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" && choices.length > 0) mark((chosen + 1) % choices.length);
    else if (e.key === "ArrowUp" && choices.length > 0) {
      mark((chosen - 1 + choices.length) % choices.length);
    } else if ((e.key === "Enter" || e.key === "Tab") && chosen >= 0) take(chosen);
    else if (e.key === "Enter") submit();
    else if (e.key === "Escape" && choices.length > 0) showChoices([]);
    else if (e.key === "Escape") {
      if (searched !== "") {
        input.value = "";
        submit();
      }
      input.blur();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  });

  const root = el(
    "div",
    { class: "search-bar", role: "search" },
    el("div", { class: "search-input" }, input, list),
    button(t("Filter"), () => filterForm(), { title: t("A form with all conditions") }),
    problem,
  );

  function filterForm(): void {
    const now = tokens(input.value);
    const value = (name: string) => now.find((t) => t.name === name && !t.not)?.value ?? "";
    const words = el("input", {
      type: "text",
      value: now.filter((t) => t.name === "" && !t.not).map((t) => tokenText("", t.value))
        .join(
          " ",
        ),
    });
    const from = el("input", { type: "text", value: value("from") });
    const to = el("input", { type: "text", value: value("to") });
    const subject = el("input", { type: "text", value: value("subject") });
    const after = el("input", { type: "date", value: value("after") });
    const before = el("input", { type: "date", value: value("before") });
    const larger = el("input", { type: "text", value: value("larger"), placeholder: "2mb" });
    const smaller = el("input", { type: "text", value: value("smaller"), placeholder: "100kb" });
    const label = el("input", { type: "text", value: value("label") });
    const has = el("input", { type: "checkbox", checked: value("has") !== "" });
    const is = Object.keys(states).map((s) => ({
      name: s,
      box: el("input", {
        type: "checkbox",
        checked: now.some((t) => t.name === "is" && t.value === s && !t.not),
      }),
    }));
    const done = (event: Event) => {
      event.preventDefault();
      const one = (name: string, element: HTMLInputElement) => {
        const v = element.value.trim();
        return v === "" ? [] : [tokenText(name, v)];
      };
      input.value = [
        words.value.trim(),
        ...one("from", from),
        ...one("to", to),
        ...one("subject", subject),
        ...one("after", after),
        ...one("before", before),
        ...one("larger", larger),
        ...one("smaller", smaller),
        ...one("label", label),
        ...has.checked ? ["has:attachment"] : [],
        ...is.filter((s) => s.box.checked).map((s) => `is:${s.name}`),
      ].filter((s) => s !== "").join(" ");
      dialog.close();
      submit();
    };
    const box = (b: HTMLInputElement, text: string) => el("label", { class: "checkbox" }, b, text);
    const dialog = openDialog(
      t("Search"),
      el(
        "form",
        { onsubmit: done, class: "filter-form" },
        field(
          t("Words"),
          words,
          t("Found anywhere in header and text. Quotes keep words together."),
        ),
        field(t("From"), from),
        field(t("To or Cc"), to),
        field(t("Subject"), subject),
        field(t("Keyword"), label),
        field(t("Received since"), after),
        field(t("Received before"), before),
        field(t("Larger than"), larger),
        field(t("Smaller than"), smaller),
        el(
          "div",
          { class: "checkboxes" },
          box(has, t("With attachments")),
          is.map((s) => box(s.box, stateWords[s.name])),
        ),
        el(
          "div",
          { class: "buttons" },
          button(t("Cancel"), () => dialog.close()),
          el("button", { type: "submit", class: "primary" }, t("Search")),
        ),
      ),
    );
    words.focus();
  }

  return {
    root,
    text: () => searched,
    set: (text) => {
      input.value = text;
      searched = text;
      fill(problem);
    },
    run: (text) => {
      input.value = text;
      submit();
    },
    focus: () => {
      input.focus();
      input.select();
    },
    setPlace: (name) => {
      input.placeholder = t("Search {0}", name);
    },
  };
}
