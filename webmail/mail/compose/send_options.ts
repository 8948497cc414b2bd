/** When and how a message is sent: the dialog that asks for it. @module */
import type { SendOptions } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import { plannedDate } from "../../lib/format.ts";
import { t } from "../../lib/text.ts";

/** In words; "" for the usual ones. */
export function sendOptionsText({ sendAt, requireTls }: SendOptions): string {
  return [
    sendAt === null ? "" : t("To be sent {0}.", plannedDate(sendAt)),
    requireTls === null ? "" : requireTls ? t("Verified TLS required.") : t("TLS not required."),
  ].filter((s) => s !== "").join(" ");
}

/** A time in the format of a field for date and time, in the browser's zone. */
function localTime(at: number): string {
  const d = new Date(at);
  return new Date(at - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Times that people often want. */
function usualTimes(): { text: string; at: number }[] {
  const at = (days: number, hours: number) => {
    const d = new Date();
    d.setDate(d.getDate() + days);
    d.setHours(hours, 0, 0, 0);
    return d.getTime();
  };
  const toMonday = (8 - new Date().getDay()) % 7 || 7;
  return [
    { text: t("Tomorrow morning"), at: at(1, 8) },
    { text: t("Tomorrow afternoon"), at: at(1, 14) },
    { text: t("Monday morning"), at: at(toMonday, 8) },
  ];
}

/** A field for a time to come, with those that are often wanted. `read`: null if empty, undefined if wrong. */
export function timeField(
  label: string,
  now: number | null,
  hint: string,
): { root: HTMLElement; read: () => number | null | undefined } {
  const error = el("p", { class: "error", role: "alert" });
  const when = el("input", {
    type: "datetime-local",
    min: localTime(Date.now()),
    value: now === null ? "" : localTime(now),
  });
  const root = el(
    "div",
    { class: "time-field" },
    field(label, when, hint),
    el(
      "div",
      { class: "buttons-in-row" },
      usualTimes().map((t) =>
        button(t.text, () => {
          when.value = localTime(t.at);
        }, { title: plannedDate(t.at) })
      ),
    ),
    error,
  );
  return {
    root,
    read: () => {
      fill(error);
      if (when.value === "" && when.validity.badInput === false) return null;
      const at = new Date(when.value).getTime();
      if (Number.isFinite(at) && at > Date.now()) return at;
      fill(error, Number.isFinite(at) ? t("That time is in the past.") : t("That is not a time."));
      when.focus();
      return undefined;
    },
  };
}

/** Asks for options, starting with the current ones. */
export function openSendOptions(now: SendOptions, onSet: (options: SendOptions) => void): void {
  const when = timeField(t("Send at"), now.sendAt, t("Not before this time. Empty: at once."));
  const tls = el(
    "select",
    {},
    [["", t("As usual")], ["yes", t("Only with verified TLS")], ["no", t("Even without TLS")]]
      .map(([v, name]) =>
        el("option", {
          value: v,
          selected: v === (now.requireTls === null ? "" : now.requireTls ? "yes" : "no"),
        }, name)
      ),
  );
  const dialog = openDialog(
    t("Send options"),
    el(
      "form",
      {
        novalidate: true,
        onsubmit: (event: Event) => {
          event.preventDefault();
          const sendAt = when.read();
          if (sendAt === undefined) return;
          onSet({ sendAt, requireTls: tls.value === "" ? null : tls.value === "yes" });
          dialog.close();
        },
      },
      when.root,
      field(
        t("Encryption"),
        tls,
        t("Whether all servers on the way must use verified TLS (REQUIRETLS)."),
      ),
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, t("Set"))),
    ),
  );
}

/** Times until which messages are put away. */
export function snoozeTimes(): { text: string; at: number }[] {
  return [{ text: t("In three hours"), at: Date.now() + 3 * 3600_000 }, ...usualTimes()];
}

/** Asks for a different time for a waiting message. */
export function askSendTime(now: number, onSet: (at: number) => void): void {
  askTime(
    t("Change the time"),
    t("Send at"),
    t("The message waits on the server until then."),
    now,
    onSet,
  );
}

/** Asks for a time in the future. */
export function askTime(
  title: string,
  label: string,
  hint: string,
  now: number | null,
  onSet: (at: number) => void,
): void {
  const when = timeField(label, now, hint);
  const dialog = openDialog(
    title,
    el(
      "form",
      {
        novalidate: true,
        onsubmit: (event: Event) => {
          event.preventDefault();
          const at = when.read();
          if (at === undefined || at === null) return;
          onSet(at);
          dialog.close();
        },
      },
      when.root,
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, t("Set"))),
    ),
  );
}
