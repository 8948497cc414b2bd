/**
 * Logging out, and the end of sessions: unsaved text goes to the server first, or stays under a login form. @module
 */
import { call } from "../api/client.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { ComposeWindows } from "./compose/windows.ts";
import { t } from "../lib/text.ts";

/** Logs out. Unsaved text is saved first; if that fails, the user is asked. */
export async function logout(windows: ComposeWindows): Promise<void> {
  await windows.save();
  if (
    windows.unsaved() && !await confirmDialog(
      t("Log out without saving?"),
      t("What you are writing could not be saved on the server. It is kept in this browser until you log in again."),
      t("Log out"),
    )
  ) return;
  windows.remove();
  await call("Logout", {});
}
