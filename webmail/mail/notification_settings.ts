/** Settings that belong to the browser: notifications, and the handler of mailto: links. @module */
import { button } from "../lib/button.ts";
import { el, fill } from "../lib/dom.ts";
import { attempt, notice } from "../lib/notify.ts";
import { canPush, isSubscribed, subscribePush, unsubscribePush } from "./app_install.ts";
import { t } from "../lib/text.ts";

/**
 * Whether the browser notifies of new messages, for which it asks its user; and whether this page opens mailto:
 * links.
 */
export function browserSettings(): HTMLElement {
  const into = el("div", { class: "buttons-in-row" });
  const again = () => void attempt(draw);
  const doing = (run: () => Promise<unknown>) => () =>
    attempt(async () => {
      await run();
      await draw();
    });

  async function draw(): Promise<void> {
    const pushed = await isSubscribed();
    const permission = globalThis.Notification?.permission;
    fill(
      into,
      permission === undefined
        ? null
        : permission === "denied"
        ? t("This browser was told not to show notifications; its own settings change that.")
        : [
          permission === "granted"
            ? el("span", {}, t("Tells of new messages while the page is in the background."))
            : button(t("Tell of new messages"), doing(() => Notification.requestPermission()), {
              title: t("While the page is in the background"),
            }),
          !canPush()
            ? null
            : pushed
            ? button(t("Not when the page is closed"), doing(unsubscribePush))
            : button(t("Also when the page is closed"), doing(() => subscribePush(["Inbox"])), {
              title: t(
                "By the push service of this browser; sender and subject are encrypted for it",
              ),
            }),
        ],
      "registerProtocolHandler" in navigator
        ? button(t("Open mail links here"), () => {
          navigator.registerProtocolHandler("mailto", `${location.pathname}?mailto=%s`);
          notice(t("The browser asks whether mail links open here."));
        }, { title: t("Links of web pages that write to an address (mailto:)") })
        : null,
    );
  }
  again();
  return el("div", {}, el("h3", {}, t("This browser")), into);
}
