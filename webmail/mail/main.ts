/**
 * The webmail's page: logs in, then shows the mail.
 *
 * @module
 */
// First: texts are made while the others begin.
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

/** Milliseconds until the server is tried again. */
const retryAfter = 5_000;

/** Says that there is no connection; resolves when it may be there again. */
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
