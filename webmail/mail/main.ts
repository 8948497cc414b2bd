/**
 * The webmail's page: logs in, then shows the mail.
 *
 * @module
 */
import { call } from "../api/client.ts";
import { app } from "./app.ts";
import { mountKeys } from "../lib/keys.ts";
import { el, fill } from "../lib/dom.ts";
import { errorText, mountNotifications } from "../lib/notify.ts";
import { login } from "./login.ts";

const root = el("div", { id: "root" });
document.body.append(root);
mountNotifications();
mountKeys();

async function main(): Promise<void> {
  let message = "";
  for (;;) {
    let who: unknown = null;
    try {
      ({ who } = await call("Session", {}));
    } catch (e) {
      message = errorText(e);
    }
    if (who === null) await login(root, message);
    message = await app(root);
    fill(root);
  }
}

void main();
