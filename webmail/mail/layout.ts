/**
 * The panes: mailboxes, list and message, side by side or above one another, resizable; one at a time on a phone.
 *
 * @module
 */
import type { Settings } from "../api/mod.ts";
import { el } from "../lib/dom.ts";
import { t } from "../lib/text.ts";

export type Pane = "mailboxes" | "list" | "message";

export interface Layout {
  root: HTMLElement;
  apply(settings: Settings): void;
  /** Sets which pane a phone shows. */
  show(pane: Pane): void;
  pane(): Pane;
  narrow(): boolean;
}

const narrowWidth = 720;
const key = "mox-webmail-panes";

interface Sizes {
  /** Width of the list of mailboxes in pixels. */
  side: number;
  /** The message list's share in percent, for each layout. */
  topBottom: number;
  leftRight: number;
}

function loadSizes(): Sizes {
  const usual: Sizes = { side: 210, topBottom: 42, leftRight: 42 };
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(key) ?? "{}") };
  } catch {
    return usual;
  }
}

/** Creates the panes. */
export function layout(
  parts: { top: HTMLElement; mailboxes: HTMLElement; list: HTMLElement; message: HTMLElement },
): Layout {
  const sizes = loadSizes();
  let setting: Settings["layout"] = "auto";
  let pane: Pane = "list";

  const sideBar = separator(t("Width of the list of mailboxes"), () => "x", (px) => {
    sizes.side = Math.max(120, Math.min(480, sizes.side + px));
  });
  const splitBar = separator(
    t("Size of the message list"),
    () => split() === "leftRight" ? "x" : "y",
    (px) => {
      const whole = split() === "leftRight" ? main.clientWidth : main.clientHeight;
      sizes[split()] = Math.max(15, Math.min(85, sizes[split()] + px * 100 / whole));
    },
  );
  /** 1, or -1 if text runs from right to left. */
  function direction(): number {
    return document.documentElement.dir === "rtl" ? -1 : 1;
  }

  const main = el("main", { class: "panes" }, parts.list, splitBar, parts.message);
  const root = el(
    "div",
    { class: "app" },
    parts.top,
    el("div", { class: "below" }, parts.mailboxes, sideBar, main),
  );

  function split(): "topBottom" | "leftRight" {
    if (setting !== "auto") return setting;
    return innerWidth >= 1280 ? "leftRight" : "topBottom";
  }

  function separator(
    label: string,
    axis: () => "x" | "y",
    resize: (px: number) => void,
  ): HTMLElement {
    const bar = el("div", {
      class: "separator",
      role: "separator",
      tabindex: 0,
      "aria-label": label,
      title: t("Drag, or use the arrow keys"),
      onpointerdown: (event: PointerEvent) => {
        event.preventDefault();
        bar.setPointerCapture(event.pointerId);
        let last = axis() === "x" ? event.clientX : event.clientY;
        root.classList.add("resizing");
        bar.onpointermove = (m) => {
          const at = axis() === "x" ? m.clientX : m.clientY;
          resize(axis() === "x" ? (at - last) * direction() : at - last);
          last = at;
          place();
        };
        bar.onpointerup = bar.onpointercancel = () => {
          bar.onpointermove = null;
          root.classList.remove("resizing");
          save();
        };
      },
      onkeydown: (event: KeyboardEvent) => {
        const steps: Record<string, number> = axis() === "x"
          ? { ArrowLeft: -20, ArrowRight: 20 }
          : { ArrowUp: -20, ArrowDown: 20 };
        const px = steps[event.key];
        if (px === undefined) return;
        event.preventDefault();
        resize(axis() === "x" ? px * direction() : px);
        place();
        save();
      },
    });
    return bar;
  }

  function save(): void {
    try {
      localStorage.setItem(key, JSON.stringify(sizes));
    } catch {
      // Without storage the sizes last until the page is closed.
    }
  }

  function place(): void {
    root.dataset.split = split();
    root.dataset.pane = pane;
    root.style.setProperty("--side", `${sizes.side}px`);
    root.style.setProperty("--list", `${sizes[split()]}%`);
    splitBar.setAttribute("aria-orientation", split() === "leftRight" ? "vertical" : "horizontal");
    splitBar.setAttribute("aria-valuenow", String(Math.round(sizes[split()])));
    sideBar.setAttribute("aria-orientation", "vertical");
    sideBar.setAttribute("aria-valuenow", String(sizes.side));
  }
  addEventListener("resize", place);
  place();

  return {
    root,
    apply: (settings) => {
      setting = settings.layout;
      document.documentElement.dataset.theme = settings.theme;
      place();
    },
    show: (p) => {
      pane = p;
      place();
    },
    pane: () => pane,
    narrow: () => innerWidth < narrowWidth,
  };
}
