/** Whether the page is connected, at its top; and whether that is because the session has ended. @module */
import { call } from "../api/client.ts";
import type { ConnectionState } from "./events.ts";
import { button } from "../lib/button.ts";
import { el, fill } from "../lib/dom.ts";
import { t } from "../lib/text.ts";

export interface ConnectionStatusOptions {
  reconnect: () => void;
  onLoggedOut: () => void;
}

export interface ConnectionStatus {
  root: HTMLElement;
  /** `began`: it was connected before. */
  show(state: ConnectionState, seconds: number | undefined, began: boolean): void;
}

/** Creates the status, empty. */
export function connectionStatus(options: ConnectionStatusOptions): ConnectionStatus {
  const root = el("span", { class: "connection", role: "status" });

  /** After a broken connection: has the session ended? */
  async function checkSession(): Promise<void> {
    try {
      const { who } = await call("Session", {});
      if (who === null) options.onLoggedOut();
    } catch {
      // The server can't be reached: the reason is unknown.
    }
  }

  return {
    root,
    show: (state, seconds, began) => {
      root.dataset.state = state;
      fill(
        root,
        state === "waiting"
          ? [
            t("Not connected, trying again in {0} s. ", seconds ?? 0),
            button(t("Now"), options.reconnect),
          ]
          : state === "connecting" && began
          ? t("Connecting…")
          : null,
      );
      if (state === "waiting") void checkSession();
    },
  };
}
