/** The section on being away: forwarding, and replies to who writes. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el } from "../lib/dom.ts";
import { longDate } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import type { Vacation } from "./onward_api.ts";

export function onwardSection(changed: () => Promise<void>): Section {
  return { id: "away", title: "Away", show: () => away(changed) };
}

/** A time as such an input has it: local, to the minute. */
function localTime(ms: number | null): string {
  if (ms === null) return "";
  const d = new Date(ms);
  return new Date(ms - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function timeOf(text: string): number | null {
  return text === "" ? null : new Date(text).getTime();
}

function editVacation(vacation: Vacation, changed: () => Promise<void>): void {
  formDialog(
    "Reply while away",
    [
      {
        name: "text",
        label: "Text",
        type: "textarea",
        value: vacation.text,
        required: true,
        explanation: "Plain text. Those who write to you can all read it.",
      },
      {
        name: "subject",
        label: "Subject",
        value: vacation.subject,
        explanation: "Empty: “Auto:” and the subject of the message.",
      },
      {
        name: "from",
        label: "From",
        type: "datetime-local",
        value: localTime(vacation.from),
        explanation: "Empty: from now on.",
      },
      {
        name: "until",
        label: "Until",
        type: "datetime-local",
        value: localTime(vacation.until),
        explanation: "Empty: until you turn it off.",
      },
      {
        name: "days",
        label: "Days before the same sender gets another reply",
        type: "number",
        value: String(vacation.days),
        required: true,
      },
    ],
    "Turn on",
    async (form) => {
      const { text, subject } = form;
      await makeCall(accountCalls, "VacationSet", {
        vacation: {
          enabled: true,
          text,
          subject,
          from: timeOf(form.from),
          until: timeOf(form.until),
          days: Number(form.days),
        },
      });
      notice("Replies are on.");
      await changed();
    },
  );
}

function editForwarding(
  f: { to: string[]; only: boolean },
  changed: () => Promise<void>,
): void {
  formDialog(
    "Forward messages",
    [
      {
        name: "to",
        label: "Addresses",
        type: "textarea",
        value: f.to.join("\n"),
        required: true,
        explanation: "One on each line.",
      },
      {
        name: "only",
        label: "Keep no copy here",
        type: "checkbox",
        value: f.only,
        explanation: "What can't be forwarded is kept all the same.",
      },
    ],
    "Forward",
    async ({ to, only }) => {
      const list = to.split(/[\s,;]+/).filter((a) => a !== "");
      await makeCall(accountCalls, "ForwardingSet", {
        forwarding: { to: list, only: only !== "" },
      });
      notice(list.length === 0 ? "Nothing is forwarded." : "Messages are forwarded.");
      await changed();
    },
  );
}

async function away(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const { forwarding, vacation, away } = await makeCall(accountCalls, "Onward", {});
  const state = away ? "on" : vacation.enabled ? "on, but not at this time" : "off";
  const endReplies = () =>
    attempt(async () => {
      await makeCall(accountCalls, "VacationSet", { vacation: { ...vacation, enabled: false } });
      await changed();
    });
  const endForwarding = () =>
    attempt(async () => {
      if (!await confirmDialog("Forwarding", "Forward no messages any more?", "Stop")) return;
      await makeCall(accountCalls, "ForwardingSet", { forwarding: { to: [], only: false } });
      await changed();
    });
  return [
    part(
      "Reply while away",
      el(
        "p",
        { class: "muted" },
        "Those who write to you get this text, once in a while. Mailing lists, programs and senders that " +
          "can't be verified get none.",
      ),
      facts([
        ["Replies", state],
        ...(vacation.enabled
          ? [
            ["Subject", vacation.subject || "Auto: that of the message"] as const,
            ["Text", el("span", { class: "preformatted" }, vacation.text)] as const,
            ["From", vacation.from === null ? "–" : longDate(vacation.from)] as const,
            ["Until", vacation.until === null ? "turned off" : longDate(vacation.until)] as const,
            [
              "Same sender again after",
              `${vacation.days} ${vacation.days === 1 ? "day" : "days"}`,
            ] as const,
          ]
          : []),
      ]),
      el(
        "div",
        { class: "tools" },
        button(
          vacation.enabled ? "Change reply" : "Turn on",
          () => editVacation(vacation, changed),
        ),
        vacation.enabled ? button("Turn off", endReplies) : null,
      ),
    ),
    part(
      "Forward",
      el(
        "p",
        { class: "muted" },
        "Messages that are accepted for you go on to these addresses. Junk does not.",
      ),
      facts([
        ["To", forwarding.to.length === 0 ? "nobody" : forwarding.to.join(", ")],
        ...(forwarding.to.length > 0
          ? [["Copy here", forwarding.only ? "none" : "kept"] as const]
          : []),
      ]),
      el(
        "div",
        { class: "tools" },
        button(
          forwarding.to.length === 0 ? "Set addresses" : "Change addresses",
          () => editForwarding(forwarding, changed),
        ),
        forwarding.to.length > 0 ? button("Stop forwarding", endForwarding) : null,
      ),
    ),
  ];
}
