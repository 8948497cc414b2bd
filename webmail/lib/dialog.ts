/**
 * Dialogs over the page, and menus beside a button. They take the focus, keep it, and give it back.
 *
 * @module
 */
import { type Child, el, newId } from "./dom.ts";
import { button } from "./button.ts";
import { rememberFocus } from "./focus.ts";
import { t } from "./text.ts";

/** An open dialog. */
export interface Dialog {
  element: HTMLDialogElement;
  close(): void;
  /** Resolves when the dialog is closed in any way. */
  closed: Promise<void>;
}

/** Shows a dialog; Escape and its Close button close it. */
export function openDialog(
  title: string,
  content: Child,
  o: { wide?: boolean; onClose?: () => void } = {},
): Dialog {
  const before = document.activeElement;
  const giveBack = rememberFocus(before);
  const id = newId("dialog");
  const { promise, resolve } = Promise.withResolvers<void>();
  const heading = el("h2", { id }, title);
  const close = (): void => element.close();
  const element: HTMLDialogElement = el(
    "dialog",
    { "aria-labelledby": id, class: o.wide ? "wide" : null },
    el(
      "header",
      {},
      heading,
      button(t("Close"), () => close(), { key: "Escape", attributes: { class: "quiet" } }),
    ),
    el("div", { class: "dialog-content" }, content),
  );
  element.addEventListener("close", () => {
    element.remove();
    // The action may have redrawn the page.
    if (before instanceof HTMLElement && before.isConnected) before.focus();
    else giveBack?.();
    o.onClose?.();
    resolve();
  });
  element.addEventListener("click", (e) => {
    if (e.target === element) close();
  });
  document.body.append(element);
  element.showModal();
  return { element, close, closed: promise };
}

/** Asks for a yes or no. */
export async function confirmDialog(
  title: string,
  text: string,
  yes: string,
  o: { danger?: boolean } = {},
): Promise<boolean> {
  let answer = false;
  const ok = button(yes, () => {
    answer = true;
    dialog.close();
  }, { primary: !o.danger, danger: o.danger });
  const dialog = openDialog(
    title,
    el(
      "div",
      {},
      el("p", {}, text),
      el("div", { class: "buttons" }, button(t("Cancel"), () => dialog.close()), ok),
    ),
  );
  ok.focus();
  await dialog.closed;
  return answer;
}

/** Asks for a line of text; undefined if the user cancels. */
export async function promptDialog(
  title: string,
  label: string,
  value: string,
  yes: string,
): Promise<string | undefined> {
  let answer: string | undefined;
  const id = newId("prompt");
  const input = el("input", { id, type: "text", value, autocomplete: "off" });
  const form = el(
    "form",
    {
      method: "dialog",
      onsubmit: (event: Event) => {
        event.preventDefault();
        answer = input.value;
        dialog.close();
      },
    },
    el("div", { class: "field" }, el("label", { for: id, class: "field-label" }, label), input),
    el(
      "div",
      { class: "buttons" },
      button(t("Cancel"), () => dialog.close()),
      el("button", { type: "submit", class: "primary" }, yes),
    ),
  );
  const dialog = openDialog(title, form);
  input.focus();
  input.select();
  await dialog.closed;
  return answer;
}

/** An entry of a menu. */
export interface MenuItem {
  text: string;
  title?: string;
  run: () => unknown;
  checked?: boolean;
  danger?: boolean;
}

/** Shows a menu at an element; arrows, Home, End, letters and Escape work in it. */
export function openMenu(at: Element, items: readonly MenuItem[], label: string): void {
  const before = document.activeElement;
  const rows = items.map((item) =>
    el(
      "button",
      {
        type: "button",
        role: item.checked === undefined ? "menuitem" : "menuitemcheckbox",
        "aria-checked": item.checked === undefined ? null : String(item.checked),
        title: item.title,
        class: item.danger ? "danger" : null,
        tabindex: -1,
        onclick: () => {
          close();
          item.run();
        },
      },
      item.checked === undefined ? null : el("span", { class: "check" }, item.checked ? "✓" : ""),
      item.text,
    )
  );
  const menu = el(
    "div",
    { class: "menu", role: "menu", "aria-label": label, popover: "auto" },
    rows,
  );
  const close = () => menu.hidePopover();
  menu.addEventListener("toggle", (e) => {
    if ((e as ToggleEvent).newState === "open") return;
    menu.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  menu.addEventListener("keydown", (e) => {
    const i = rows.indexOf(document.activeElement as HTMLButtonElement);
    const to = e.key === "ArrowDown"
      ? (i + 1) % rows.length
      : e.key === "ArrowUp"
      ? (i - 1 + rows.length) % rows.length
      : e.key === "Home"
      ? 0
      : e.key === "End"
      ? rows.length - 1
      : e.key.length === 1
      ? rows.findIndex((r, k) =>
        k > i && r.textContent!.toLowerCase().replace("✓", "").startsWith(e.key.toLowerCase())
      )
      : -1;
    if (e.key === "Tab") close();
    if (to < 0) return;
    e.preventDefault();
    e.stopPropagation();
    rows[to].focus();
  });
  // Elements outside an open dialog get no clicks.
  (at.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  const place = at.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(4, Math.min(place.left, innerWidth - width - 4));
  const below = place.bottom + 2;
  const top = below + height > innerHeight ? Math.max(4, place.top - height - 2) : below;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
  rows[0]?.focus();
}
