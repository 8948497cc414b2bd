/** The HTML as programs show it: on the whole width, and on those of screens that readers have. @module */
import { el, fill } from "../lib/dom.ts";
import { viewPath } from "./api.ts";

/** CSS pixels of a width; 0 for all there is. */
const widths = [["All", 0], ["Desktop", 1024], ["Tablet", 768], ["Phone", 390]] as const;

let chosen: number = 0;

/** The message's HTML with buttons for its width. Scripts don't run, and forms are not sent. */
export function preview(id: string): HTMLElement {
  const size = el("output", { class: "soft" });
  const frame = el("iframe", {
    src: `${viewPath(id)}?framed`,
    title: "HTML of the message",
    // Of the same origin, as pictures of the message are asked for by it; what can run there is nothing.
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
