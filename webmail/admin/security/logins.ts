/** Login attempts, and sessions of this page. @module */
import { makeCall } from "../../api/client.ts";
import { attemptsTable } from "../../lib/attempts.ts";
import { button } from "../../lib/button.ts";
import { confirmation, confirmFields } from "../../lib/confirm.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { programName } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { facts, formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { turnOnDialog } from "../../lib/second_factor.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";

export function loginSection(changed: () => Promise<void>): Section {
  return { id: "logins", title: "Logins", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { attempts, sessions, secondFactor, recoveryCodes } = await makeCall(
    adminCalls,
    "Attempts",
    {},
  );
  const failed = el("input", { type: "checkbox", onchange: () => fillAttempts() });
  const shown = el("div", { class: "stacked" });
  const fillAttempts = () => {
    const list = failed.checked ? attempts.filter((a) => a.result !== "ok") : attempts;
    shown.replaceChildren(attemptsTable(list, true));
  };
  fillAttempts();
  return {
    heading: "Logins",
    actions: button("Change administrator's password", () => password(secondFactor, changed)),
    content: [
      part(
        "Your second factor",
        lead("A code from an app on your phone, asked for after the administrator's password."),
        facts([
          ["State", secondFactor ? "on" : "off"],
          ...(secondFactor ? [["Recovery codes left", String(recoveryCodes)] as const] : []),
        ]),
        secondFactor
          ? button("Turn off", () => turnOff(changed))
          : button("Set up", () => attempt(() => setUp(changed))),
      ),
      part(
        "Attempts, the last 30 days",
        lead(
          "Of all users and programs. After 10 failed ones at a time, or 50 a day, an address has to wait.",
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

async function setUp(changed: () => Promise<void>): Promise<void> {
  turnOnDialog(await makeCall(adminCalls, "AdminSecondFactorBegin", {}), async (r) => {
    const made = await makeCall(adminCalls, "AdminSecondFactorOn", r);
    await changed();
    return made.recoveryCodes;
  });
}

function turnOff(changed: () => Promise<void>): void {
  formDialog(
    "Turn the second factor off",
    confirmFields(true),
    "Turn off",
    async (given) => {
      await makeCall(adminCalls, "AdminSecondFactorOff", confirmation(given));
      notice("The second factor is off.");
      await changed();
    },
  );
}

function password(secondFactor: boolean, changed: () => Promise<void>): void {
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
      ...confirmFields(secondFactor),
      field("password", "New password", "At least 8 characters."),
      field("again", "New password again"),
    ],
    "Change",
    async ({ password, again, ...given }) => {
      if (password !== again) throw new Error("The two are not the same.");
      await makeCall(adminCalls, "PasswordSet", { ...confirmation(given), password });
      notice("Password changed. Other logins have ended.");
      await changed();
    },
  );
}
