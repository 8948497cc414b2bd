/** The section for absence: forwarding, and automatic replies. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el } from "../lib/dom.ts";
import { countText, longDate } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import type { Vacation } from "./onward_api.ts";
import { t } from "../lib/text.ts";

export function onwardSection(changed: () => Promise<void>): Section {
  return { id: "away", title: t("Away"), show: () => away(changed) };
}

/** A time in the form of its input: local, to the minute. */
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
    t("Reply while away"),
    [
      {
        name: "text",
        label: t("Text"),
        type: "textarea",
        value: vacation.text,
        required: true,
        explanation: t("Plain text. Those who write to you can all read it."),
      },
      {
        name: "subject",
        label: t("Subject"),
        value: vacation.subject,
        explanation: t("Empty: “Auto:” and the subject of the message."),
      },
      {
        name: "from",
        label: t("From"),
        type: "datetime-local",
        value: localTime(vacation.from),
        explanation: t("Empty: from now on."),
      },
      {
        name: "until",
        label: t("Until"),
        type: "datetime-local",
        value: localTime(vacation.until),
        explanation: t("Empty: until you turn it off."),
      },
      {
        name: "days",
        label: t("Days before the same sender gets another reply"),
        type: "number",
        value: String(vacation.days),
        required: true,
      },
    ],
    t("Turn on"),
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
      notice(t("Replies are on."));
      await changed();
    },
  );
}

function editForwarding(
  f: { to: string[]; only: boolean },
  changed: () => Promise<void>,
): void {
  formDialog(
    t("Forward messages"),
    [
      {
        name: "to",
        label: t("Addresses"),
        type: "textarea",
        value: f.to.join("\n"),
        required: true,
        explanation: t("One on each line."),
      },
      {
        name: "only",
        label: t("Keep no copy here"),
        type: "checkbox",
        value: f.only,
        explanation: t("What can't be forwarded is kept all the same."),
      },
    ],
    t("Forward"),
    async ({ to, only }) => {
      const list = to.split(/[\s,;]+/).filter((a) => a !== "");
      await makeCall(accountCalls, "ForwardingSet", {
        forwarding: { to: list, only: only !== "" },
      });
      notice(list.length === 0 ? t("Nothing is forwarded.") : t("Messages are forwarded."));
      await changed();
    },
  );
}

async function away(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const { forwarding, vacation, away } = await makeCall(accountCalls, "Onward", {});
  const state = away ? t("on") : vacation.enabled ? t("on, but not at this time") : t("off");
  const endReplies = () =>
    attempt(async () => {
      await makeCall(accountCalls, "VacationSet", { vacation: { ...vacation, enabled: false } });
      await changed();
    });
  const endForwarding = () =>
    attempt(async () => {
      if (
        !await confirmDialog(t("Forwarding"), t("Forward no messages any more?"), t("Stop"))
      ) return;
      await makeCall(accountCalls, "ForwardingSet", { forwarding: { to: [], only: false } });
      await changed();
    });
  return [
    part(
      t("Reply while away"),
      el(
        "p",
        { class: "muted" },
        t(
          "Those who write to you get this text, once in a while. Mailing lists, programs and senders that " +
            "can't be verified get none.",
        ),
      ),
      facts([
        [t("Replies"), state],
        ...(vacation.enabled
          ? [
            [t("Subject"), vacation.subject || t("Auto: that of the message")] as const,
            [t("Text"), el("span", { class: "preformatted" }, vacation.text)] as const,
            [t("From"), vacation.from === null ? "–" : longDate(vacation.from)] as const,
            [
              t("Until"),
              vacation.until === null ? t("turned off") : longDate(vacation.until),
            ] as const,
            [
              t("Same sender again after"),
              countText(vacation.days, "day"),
            ] as const,
          ]
          : []),
      ]),
      el(
        "div",
        { class: "tools" },
        button(
          vacation.enabled ? t("Change reply") : t("Turn on"),
          () => editVacation(vacation, changed),
        ),
        vacation.enabled ? button(t("Turn off"), endReplies) : null,
      ),
    ),
    part(
      t("Forward"),
      el(
        "p",
        { class: "muted" },
        t("Messages that are accepted for you go on to these addresses. Junk does not."),
      ),
      facts([
        [t("To"), forwarding.to.length === 0 ? t("nobody") : forwarding.to.join(", ")],
        ...(forwarding.to.length > 0
          ? [[t("Copy here"), forwarding.only ? t("none") : t("kept")] as const]
          : []),
      ]),
      el(
        "div",
        { class: "tools" },
        button(
          forwarding.to.length === 0 ? t("Set addresses") : t("Change addresses"),
          () => editForwarding(forwarding, changed),
        ),
        forwarding.to.length > 0 ? button(t("Stop forwarding"), endForwarding) : null,
      ),
    ),
  ];
}
