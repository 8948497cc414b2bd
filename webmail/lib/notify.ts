/**
 * Telling people what happened: a line at the bottom, read out too, with Undo where there is one.
 *
 * @module
 */
import { button } from "./button.ts";
import { el, fill } from "./dom.ts";
import { t } from "./text.ts";

const status = el("div", { class: "toasts", role: "status", "aria-live": "polite" });
const alerts = el("div", { class: "toasts alerts", role: "alert", "aria-live": "assertive" });
const hintBox = el("div", { class: "key-hint", "aria-hidden": "true" });
let hintTimer: ReturnType<typeof setTimeout> | undefined;

/** Puts the places for messages into the page. */
export function mountNotifications(): void {
  document.body.append(status, alerts);
}

/** Where keys of clicked buttons are shown; it has a place of its own, so that it covers nothing. */
export const keyHintPlace: HTMLElement = hintBox;

/** What can be done about a message. */
export interface NoticeAction {
  text: string;
  key?: string;
  run: () => unknown;
  /** How long it is offered. */
  seconds?: number;
}

const seconds = { notice: 6, undo: 12, error: 12 };

/** Says something for some seconds. The function that comes back takes it away. */
export function notice(text: string, action?: NoticeAction): () => void {
  return show(
    status,
    text,
    action,
    action === undefined ? seconds.notice : action.seconds ?? seconds.undo,
  );
}

/** Says that something went wrong. */
export function alertUser(text: string, action?: NoticeAction): () => void {
  return show(alerts, text, action, action?.seconds ?? seconds.error);
}

function show(
  place: HTMLElement,
  text: string,
  action: NoticeAction | undefined,
  life: number,
): () => void {
  const remove = () => {
    clearTimeout(timer);
    toast.remove();
  };
  const toast = el(
    "div",
    { class: "toast" },
    el("span", {}, text),
    action && button(action.text, () => {
      remove();
      action.run();
    }, { key: action.key }),
    button(t("Dismiss"), remove, { attributes: { class: "quiet" } }),
  );
  // The last ones are enough.
  while (place.childElementCount >= 3) place.firstElementChild!.remove();
  place.append(toast);
  const timer = setTimeout(remove, life * 1000);
  return remove;
}

/** Shows the key of something that was just done with the mouse. */
export function keyHint(key: string, action: string): void {
  clearTimeout(hintTimer);
  fill(hintBox, el("kbd", {}, key), ` ${action}`);
  hintBox.classList.add("shown");
  hintTimer = setTimeout(() => hintBox.classList.remove("shown"), 2500);
}

/** Text of an error for people. */
export function errorText(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

/** Runs something a person asked for; an error is told. */
export async function attempt(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (e) {
    alertUser(errorText(e));
  }
}
