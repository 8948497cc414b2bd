/** Log levels, which can be changed while the server runs. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";

export function logSection(changed: () => Promise<void>): Section {
  return { id: "log", title: "Log levels", show: () => show(changed) };
}

const levels = [
  { value: "error", text: "error" },
  { value: "warn", text: "warn" },
  { value: "info", text: "info: what is usual" },
  { value: "debug", text: "debug: each step" },
  { value: "trace", text: "trace: protocols, without passwords and messages" },
  { value: "traceauth", text: "traceauth: with passwords" },
  { value: "tracedata", text: "tracedata: with passwords and messages" },
];

async function show(changed: () => Promise<void>): Promise<View> {
  const { levels: set, packages } = await makeCall(adminCalls, "LogLevels", {});
  const dialog = (pkg: string, level: string) =>
    formDialog(
      "Log level",
      [
        {
          name: "pkg",
          label: "Package",
          value: pkg,
          suggestions: packages,
          explanation: "Such as smtpserver; empty for all that have no level of their own.",
        },
        { name: "level", label: "Level", options: levels, value: level },
      ],
      "Set",
      async (f) => {
        await makeCall(adminCalls, "LogLevelSet", { pkg: f.pkg.trim(), level: f.level });
        await changed();
      },
    );
  return {
    heading: "Log levels",
    actions: button("Set level", () => dialog("", "info")),
    content: [
      lead("In force until the server is started again: mox.conf says what is then."),
      table(
        ["Package", "Level", { text: "Actions", unseen: true }],
        set.map((l) => [
          l.pkg || "all others",
          l.level,
          [
            button("Change", () => dialog(l.pkg, l.level)),
            l.pkg === "" ? null : button("Back to default", () =>
              attempt(async () => {
                await makeCall(adminCalls, "LogLevelSet", { pkg: l.pkg, level: "default" });
                await changed();
              })),
          ],
        ]),
        "",
      ),
    ],
  };
}
