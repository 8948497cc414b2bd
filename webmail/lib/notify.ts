/**
 * Notifications: a line at the bottom, also for screen readers, with Undo where possible.
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

/** Adds the elements for notifications to the page. */
export function mountNotifications(): void {
  document.body.append(status, alerts);
}

/** Where keys of clicked buttons are shown; a separate place, so that it covers nothing. */
export const keyHintPlace: HTMLElement = hintBox;

/** An action that a notification offers. */
export interface NoticeAction {
  text: string;
  key?: string;
  run: () => unknown;
  /** Seconds for which it is offered. */
  seconds?: number;
}

const seconds = { notice: 6, undo: 12, error: 12 };

/** Shows a notification for some seconds. The returned function removes it. */
export function notice(text: string, action?: NoticeAction): () => void {
  return show(
    status,
    text,
    action,
    action === undefined ? seconds.notice : action.seconds ?? seconds.undo,
  );
}

/** Shows an error. */
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
  // At most three are shown.
  while (place.childElementCount >= 3) place.firstElementChild!.remove();
  place.append(toast);
  const timer = setTimeout(remove, life * 1000);
  return remove;
}

/** Shows the key for an action that was just done with the mouse. */
export function keyHint(key: string, action: string): void {
  clearTimeout(hintTimer);
  fill(hintBox, el("kbd", {}, key), ` ${action}`);
  hintBox.classList.add("shown");
  hintTimer = setTimeout(() => hintBox.classList.remove("shown"), 2500);
}

/** An error's text for people. */
export function errorText(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

/** Runs an action of the user; an error is shown. */
export async function attempt(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (e) {
    alertUser(errorText(e));
  }
}
