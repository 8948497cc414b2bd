/** Tabs, of which one is shown: its content is made when it is first opened. @module */
import { type Child, el, fill, newId } from "../lib/dom.ts";

export interface Tab {
  name: string;
  show: () => Child | Promise<Child>;
}

/**
 * A list of tabs with their panel. Arrow keys, Home and End move between them.
 * @param open name of the tab that is open first, if there is one of that name
 * @param onOpen called with the name of an opened tab
 */
export function tabs(
  label: string,
  list: readonly Tab[],
  open: string,
  onOpen: (name: string) => void,
): HTMLElement {
  const panelId = newId("panel");
  const made = new Map<Tab, HTMLElement>();
  const panel = el("div", { id: panelId, role: "tabpanel", class: "panel", tabindex: 0 });
  const buttons = list.map((tab) =>
    el("button", {
      type: "button",
      role: "tab",
      id: newId("tab"),
      "aria-controls": panelId,
      onclick: () => select(tab, true),
    }, tab.name)
  );
  function select(tab: Tab, focus: boolean): void {
    for (const [i, b] of buttons.entries()) {
      const is = list[i] === tab;
      b.setAttribute("aria-selected", String(is));
      b.tabIndex = is ? 0 : -1;
      if (is) {
        panel.setAttribute("aria-labelledby", b.id);
        if (focus) b.focus();
      }
    }
    let content = made.get(tab);
    if (content === undefined) {
      content = el("div", { class: "panel-content" });
      made.set(tab, content);
      const into = content;
      const failed = (err: unknown) =>
        fill(into, el("p", { role: "alert", class: "error" }, (err as Error).message));
      try {
        const shown = tab.show();
        if (shown instanceof Promise) {
          fill(into, el("p", { class: "none" }, "Loading…"));
          shown.then((c) => fill(into, c)).catch(failed);
        } else fill(into, shown);
      } catch (err) {
        failed(err);
      }
    }
    fill(panel, content);
    onOpen(tab.name);
  }
  const row = el(
    "div",
    {
      role: "tablist",
      "aria-label": label,
      onkeydown: (event: KeyboardEvent) => {
        const at = buttons.findIndex((b) => b === document.activeElement);
        const to = event.key === "ArrowRight"
          ? at + 1
          : event.key === "ArrowLeft"
          ? at - 1
          : event.key === "Home"
          ? 0
          : event.key === "End"
          ? list.length - 1
          : undefined;
        if (at < 0 || to === undefined) return;
        event.preventDefault();
        select(list[(to + list.length) % list.length], true);
      },
    },
    buttons,
  );
  select(list.find((t) => t.name === open) ?? list[0], false);
  return el("div", { class: "tabs" }, row, panel);
}
