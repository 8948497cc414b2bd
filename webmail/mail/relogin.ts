/** Logging in again over the page, when the session has ended while something is being written. @module */
import { call } from "../api/client.ts";
import { el } from "../lib/dom.ts";
import { login } from "./login.ts";
import { t } from "../lib/text.ts";

export interface Relogin {
  /** Shows the login form over everything; what is below can be neither seen nor reached. */
  ask(reason: string): void;
  asked(): boolean;
}

/**
 * @param account the page's account: after a login to another one the page reloads
 * @param onAgain called after a login to the same account
 */
export function relogin(account: () => string, onAgain: () => void): Relogin {
  let open = false;

  async function run(reason: string): Promise<void> {
    const into = el("div");
    const dialog = el("dialog", { class: "relogin", "aria-label": t("Log in again") }, into);
    dialog.addEventListener("cancel", (e) => e.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    document.body.classList.add("locked");
    for (;;) {
      await login(into, t("{0} What you were writing is kept. Log in to go on.", reason));
      const { who } = await call("Session", {}).catch(() => ({ who: null }));
      if (who?.account === account()) break;
      if (who !== null) return location.reload();
    }
    dialog.close();
    dialog.remove();
    document.body.classList.remove("locked");
    onAgain();
  }

  return {
    ask: (reason) => {
      if (open) return;
      open = true;
      run(reason).finally(() => open = false);
    },
    asked: () => open,
  };
}
