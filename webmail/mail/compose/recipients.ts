/**
 * A line of recipients while writing: one field each, completion, and how safely mail travels to them.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import type { Address, DomainSecurity } from "../../api/mod.ts";
import { type Child, el, fill, newId } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { plausible, splitAddresses } from "./address_text.ts";
import { addressesText, fullAddress, shortName } from "../names.ts";
import { t } from "../../lib/text.ts";

export interface Recipients {
  root: HTMLElement;
  values(): string[];
  /** Shows other recipients instead. */
  write(values: readonly string[]): void;
  add(address: string): void;
  focus(): void;
}

/** What completion offers. */
interface Choice {
  label: string;
  /** Of a group, some of its members. */
  people?: Child[];
  /** What is put into the line: one address, or those of a group. */
  text: string;
}

/** Members of a group that are named before it is taken. */
const namedMembers = 3;

function groupChoice({ name, members }: { name: string; members: Address[] }): Choice {
  const names = members.slice(0, namedMembers).flatMap((m, i) => [
    i === 0 ? "" : ", ",
    ...safeText(shortName(m)),
  ]);
  const rest = members.length - namedMembers;
  return {
    label: name,
    people: [` ${t("Group")}: `, ...names, rest > 0 ? ` ${t("and {0} more", rest)}` : ""],
    text: addressesText(members),
  };
}

/** Recipients that are shown at first, where there are more: a window has room for its text, too. */
const shownAtFirst = 20;

/** Makes the line. `changed` is called after each change. */
export function recipients(
  label: string,
  initial: readonly string[],
  o: { changed: () => void; security: () => boolean },
): Recipients {
  const listId = newId("addresses");
  const chips = el("span", { class: "chips", role: "list" });
  const list = el("ul", {
    id: listId,
    class: "completions",
    role: "listbox",
    "aria-label": t("Addresses for {0}", label),
  });
  list.hidden = true;
  const input = el("input", {
    type: "text",
    "aria-label": label,
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  let values: { text: string; chip: HTMLElement }[] = [];
  /** Not shown yet. */
  let folded: string[] = [];
  const unfold = el("button", {
    type: "button",
    class: "chip-rest",
    title: t("Show all"),
    onclick: () => {
      const rest = folded;
      folded = [];
      unfold.hidden = true;
      for (const a of rest) put(a, false);
      input.focus();
    },
  });
  unfold.hidden = true;
  let choices: Choice[] = [];
  let chosen = -1;
  let asked = 0;

  function show(found: Choice[]): void {
    choices = found;
    chosen = found.length > 0 ? 0 : -1;
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    fill(
      list,
      found.map((choice, i) =>
        el(
          "li",
          {
            id: `${listId}-${i}`,
            role: "option",
            "aria-selected": String(i === chosen),
            onmousedown: (event: Event) => {
              event.preventDefault();
              take(choice.text);
            },
          },
          safeText(choice.label),
          choice.people === undefined ? null : el("span", { class: "muted" }, choice.people),
        )
      ),
    );
    if (chosen >= 0) input.setAttribute("aria-activedescendant", `${listId}-0`);
    else input.removeAttribute("aria-activedescendant");
  }

  function mark(i: number): void {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = i;
    list.children[chosen]?.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", `${listId}-${i}`);
  }

  function take(text: string): void {
    asked++;
    show([]);
    input.value = "";
    putAll(splitAddresses(text));
    o.changed();
  }

  /** Shows addresses, the first of many. */
  function putAll(texts: readonly string[]): void {
    const many = values.length + texts.length > shownAtFirst + 5;
    const shown = many ? texts.slice(0, Math.max(0, shownAtFirst - values.length)) : texts;
    for (const a of shown) put(a);
    folded.push(...texts.slice(shown.length));
    unfold.hidden = folded.length === 0;
    fill(unfold, t("and {0} more", folded.length));
  }

  function put(text: string, ask = true): void {
    const remove = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": t("Remove {0}", text),
      onclick: () => {
        values = values.filter((v) => v.chip !== chip);
        chip.remove();
        input.focus();
        o.changed();
      },
    }, "×");
    const name = el("span", {
      dir: "auto",
      title: t("Double click to edit"),
      ondblclick: () => edit(chip),
    }, safeText(text));
    const chip = el(
      "span",
      { class: plausible(text) ? "chip" : "chip wrong", role: "listitem" },
      name,
      remove,
    );
    if (!plausible(text)) name.title = t("This isn't an address. Double click to edit");
    values.push({ text, chip });
    chips.append(chip);
    if (ask && o.security() && plausible(text)) secure(text, chip, name);
  }

  function edit(chip: HTMLElement): void {
    const v = values.find((x) => x.chip === chip);
    if (v === undefined) return;
    finish();
    values = values.filter((x) => x !== v);
    chip.remove();
    input.value = v.text;
    input.focus();
  }

  async function secure(text: string, chip: HTMLElement, name: HTMLElement): Promise<void> {
    try {
      const s = await call("RecipientSecurity", { address: text });
      chip.dataset.security = grade(s);
      name.title = `${securityText(s)}. ${t("Double click to edit")}`;
    } catch {
      // Unknown: nothing is shown.
    }
  }

  function finish(): void {
    if (input.value.trim() === "") return;
    take(input.value);
  }

  async function complete(): Promise<void> {
    const text = input.value.trim();
    const turn = ++asked;
    if (text.length < 1) return show([]);
    try {
      const { addresses, groups } = await call("AddressComplete", { text });
      if (turn !== asked) return;
      show([
        ...groups.map(groupChoice),
        ...addresses.slice(0, 8).map(fullAddress).map((a) => ({ label: a, text: a })),
      ]);
    } catch {
      if (turn === asked) show([]);
    }
  }

  input.addEventListener("input", () => {
    if (/[,;]\s*$/.test(input.value)) finish();
    else complete();
  });
  input.addEventListener("paste", (e) => {
    const text = e.clipboardData?.getData("text/plain") ?? "";
    // The browser takes ends of lines out of what is pasted into a field of one line.
    if (input.value.trim() !== "" || !/[,;\n]|^mailto:|@.*\s|\s.*@/is.test(text.trim())) return;
    e.preventDefault();
    take(text);
  });
  input.addEventListener("blur", () => {
    show([]);
    finish();
  });
  input.addEventListener("keydown", (e) => {
    // Keys that choose characters of Chinese or Japanese belong to the input method.
    if (e.isComposing) return;
    // What sends the message, once the address is in it.
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "ArrowDown" && choices.length > 0) mark((chosen + 1) % choices.length);
    else if (e.key === "ArrowUp" && choices.length > 0) {
      mark((chosen - 1 + choices.length) % choices.length);
    } else if ((e.key === "Enter" || e.key === "Tab") && chosen >= 0) take(choices[chosen].text);
    else if (e.key === "Enter") finish();
    else if (e.key === "Escape" && choices.length > 0) show([]);
    else if (e.key === "Backspace" && input.value === "" && values.length > 0) {
      edit(values.at(-1)!.chip);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  });

  putAll(initial);
  const root = el(
    "div",
    { class: "recipients", onclick: (e: Event) => e.target === root && input.focus() },
    chips,
    unfold,
    input,
    list,
  );
  const all = () => [...values.map((v) => v.text), ...folded];
  return {
    root,
    write: (next) => {
      if (next.join("\n") === all().join("\n")) return;
      for (const v of values) v.chip.remove();
      values = [];
      folded = [];
      putAll(next);
    },
    values: () => [
      ...all(),
      ...input.value.trim() === "" ? [] : splitAddresses(input.value),
    ],
    add: (a) => put(a),
    focus: () => input.focus(),
  };
}

function grade(security: DomainSecurity): "verified" | "encrypted" | "none" | "unknown" {
  if (security.mtaSts === "yes" || security.dane === "yes") return "verified";
  if (security.startTls === "yes") return "encrypted";
  return security.startTls === "no" ? "none" : "unknown";
}

function securityText(security: DomainSecurity): string {
  const first = {
    verified: t("Delivered over verified TLS only"),
    encrypted: t("Encrypted on its way, to a server that isn't verified"),
    none: t("Travels without encryption"),
    unknown: t("Not known yet how mail travels there"),
  }[grade(security)];
  return t(
    "{0} (STARTTLS: {1}, MTA-STS: {2}, DANE: {3}, DNSSEC: {4})",
    first,
    security.startTls,
    security.mtaSts,
    security.dane,
    security.dnssec,
  );
}
