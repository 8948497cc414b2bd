/** Attempts to log in, and who is logged in to this page. @module */
import { makeCall } from "../api/client.ts";
import { attemptsTable } from "../lib/attempts.ts";
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import type { Section, View } from "../lib/frame.ts";
import { programName } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../lib/page.ts";
import { adminCalls } from "./api/mod.ts";
import { date } from "./dates.ts";

export function loginSection(changed: () => Promise<void>): Section {
  return { id: "logins", title: "Logins", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { attempts, sessions } = await makeCall(adminCalls, "Attempts", {});
  const failed = el("input", { type: "checkbox", onchange: () => fillAttempts() });
  const shown = el("div", { class: "stacked" });
  const fillAttempts = () => {
    const list = failed.checked ? attempts.filter((a) => a.result !== "ok") : attempts;
    shown.replaceChildren(attemptsTable(list, true));
  };
  fillAttempts();
  return {
    heading: "Logins",
    actions: button("Change administrator's password", () => password(changed)),
    content: [
      part(
        "Attempts, the last 30 days",
        lead(
          "Of all users and programs. After 10 failed ones a minute, or 50 a day, an address has to wait.",
        ),
        el("label", { class: "checkbox" }, failed, "Only those that failed"),
        shown,
      ),
      part(
        "Logged in to this page",
        table(
          ["Last used", "Since", "From", "Program"],
          sessions.map((s) => [
            s.current ? "this one" : date(s.lastUsed),
            date(s.created),
            s.remoteIp,
            el("span", { title: s.userAgent }, programName(s.userAgent)),
          ]),
          "",
        ),
        sessions.length > 1
          ? tools(
            button("Log out all others", () =>
              attempt(async () => {
                await makeCall(adminCalls, "AdminSessionsEnd", {});
                await changed();
              })),
          )
          : null,
      ),
    ],
  };
}

function password(changed: () => Promise<void>): void {
  const field = (name: string, label: string, explanation?: string) => ({
    name,
    label,
    explanation,
    type: "password" as const,
    required: true,
    autocomplete: "new-password",
  });
  formDialog(
    "Administrator's password",
    [
      field("password", "New password", "At least 8 characters."),
      field("again", "New password again"),
    ],
    "Change",
    async ({ password, again }) => {
      if (password !== again) throw new Error("The two are not the same.");
      await makeCall(adminCalls, "PasswordSet", { password });
      notice("Password changed. Other logins have ended.");
      await changed();
    },
  );
}
