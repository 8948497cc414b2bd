/**
 * The webmail's page: logs in, then shows the mail.
 *
 * @module
 */
// First: the other modules make their texts when they start.
import { loadLanguage } from "../lib/language.ts";
import { call, CallError } from "../api/client.ts";
import { app } from "./app.ts";
import { installApp } from "./app_install.ts";
import { mountKeys } from "../lib/keys.ts";
import { el, fill } from "../lib/dom.ts";
import { errorText, mountNotifications } from "../lib/notify.ts";
import { login } from "./login.ts";
import { t } from "../lib/text.ts";

const root = el("div", { id: "root" });
document.body.append(root);
mountNotifications();
mountKeys();
installApp();

/** Milliseconds before the server is tried again. */
const retryAfter = 5_000;

/** Shows that there is no connection; resolves when it is time to try again. */
function offline(): Promise<void> {
  fill(
    root,
    el(
      "main",
      { class: "login" },
      el("p", { role: "status" }, t("The server can't be reached. It is tried again by itself.")),
    ),
  );
  return new Promise((resolve) => {
    setTimeout(resolve, retryAfter);
    addEventListener("online", () => resolve(), { once: true });
  });
}

async function main(): Promise<void> {
  await loadLanguage();
  let message = "";
  for (;;) {
    let who: unknown = null;
    try {
      ({ who } = await call("Session", {}));
    } catch (e) {
      if (e instanceof CallError && e.code === "network") {
        await offline();
        continue;
      }
      message = errorText(e);
    }
    if (who === null) await login(root, message);
    message = await app(root);
    fill(root);
  }
}

void main();
