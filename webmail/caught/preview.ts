/** The HTML as programs show it: at full width, and at the widths of common screens. @module */
import { el, fill } from "../lib/dom.ts";
import { viewPath } from "./api.ts";

/** Widths in CSS pixels; 0 for the full width. */
const widths = [["All", 0], ["Desktop", 1024], ["Tablet", 768], ["Phone", 390]] as const;

let chosen: number = 0;

/** The message's HTML with buttons for its width. Scripts don't run, and forms are not sent. */
export function preview(id: string): HTMLElement {
  const size = el("output", { class: "soft" });
  const frame = el("iframe", {
    src: `${viewPath(id)}?framed`,
    title: "HTML of the message",
    // Same origin, because the message requests its images itself; nothing in it can run there.
    sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox",
  });
  const screen = el("div", { class: "screen" }, frame);
  const buttons = widths.map(([name, width]) =>
    el("button", {
      type: "button",
      onclick: () => {
        chosen = width;
        draw();
      },
    }, width === 0 ? name : `${name}, ${width}`)
  );
  function draw(): void {
    for (const [i, b] of buttons.entries()) {
      b.setAttribute("aria-pressed", String(widths[i][1] === chosen));
    }
    frame.style.width = chosen === 0 ? "100%" : `${chosen}px`;
    screen.classList.toggle("narrowed", chosen !== 0);
    fill(size, chosen === 0 ? "" : `${chosen} pixels wide`);
  }
  draw();
  return el(
    "div",
    { class: "preview" },
    el("div", { class: "bar", role: "group", "aria-label": "Width" }, buttons, size),
    screen,
  );
}
