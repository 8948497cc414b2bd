/** Settings, and a list of the user's sessions. @module */
import { call } from "../api/client.ts";
import type { Settings } from "../api/mod.ts";
import { button } from "../lib/button.ts";
import { openDialog } from "../lib/dialog.ts";
import { el, explain, field, fill, ipAddress } from "../lib/dom.ts";
import { longDate, shortDate } from "../lib/format.ts";
import { browserSettings } from "./notification_settings.ts";
import { attempt, notice } from "../lib/notify.ts";
import { languages } from "../api/languages.ts";
import type { LanguageChoice } from "../lib/language.ts";
import { signatureSettings } from "./signature_settings.ts";
import { t } from "../lib/text.ts";

/**
 * Shows the settings.
 * @param addresses to send from
 * @param accountPage path of the page with the account's other settings
 * @param rules shows the rules for arriving mail
 * @param saved called with changed settings
 */
export function openSettings(
  now: Settings,
  addresses: readonly string[],
  accountPage: string | null,
  rules: () => void,
  saved: (settings: Settings) => void,
): void {
  const choice = <T extends string>(value: T, options: readonly (readonly [T, string])[]) =>
    el(
      "select",
      {},
      options.map(([v, text]) => el("option", { value: v, selected: v === value }, text)),
    );
  const box = (value: boolean) => el("input", { type: "checkbox", checked: value });
  const number = (value: number, min: number, max: number) =>
    el("input", { type: "number", min, max, value });

  const signatures = signatureSettings(now, addresses);
  const theme = choice(now.theme, [["auto", t("As the system")], ["light", t("Light")], [
    "dark",
    t("Dark"),
  ]]);
  const language = choice<LanguageChoice>(now.language, [
    ["auto", t("As the browser")],
    ...Object.entries(languages) as [LanguageChoice, string][],
  ]);
  const layout = choice(now.layout, [
    ["auto", t("By size of the window")],
    ["topBottom", t("List over message")],
    ["leftRight", t("List beside message")],
  ]);
  const threading = choice(now.threading, [
    ["unread", t("Threads, unread ones expanded")],
    ["on", t("Threads, expanded")],
    ["off", t("Single messages")],
  ]);
  const order = choice(now.order, [["newest", t("Newest first")], ["oldest", t("Oldest first")]]);
  const quoting = choice(now.quoting, [
    ["auto", t("Below the quote if it is short")],
    ["top", t("Above the quote")],
    ["bottom", t("Below the quote")],
  ]);
  const writing = choice(now.writing, [
    ["auto", t("As the message answered")],
    ["rich", t("Rich text")],
    ["plain", t("Plain text")],
  ]);
  const readAfter = number(now.readAfter, -1, 60);
  const notJunkAfter = number(now.notJunkAfter, -1, 600);
  const undoSend = number(now.undoSend, 0, 60);
  const body = choice(now.body, [
    ["auto", t("What says more")],
    ["html", "HTML"],
    ["text", t("Plain text")],
  ]);
  const security = box(now.showRecipientSecurity);
  const conversations = box(now.conversations);
  const shortcuts = box(now.showShortcuts);
  const previews = box(now.showPreviews);
  const checkbox = (b: HTMLInputElement, text: string, more: string) =>
    explain(el("label", { class: "checkbox" }, b, el("span", {}, text)), more);
  const sessions = el("div", {}, t("Loading…"));

  const submit = (event: Event) => {
    event.preventDefault();
    attempt(async () => {
      const settings: Settings = {
        ...now,
        ...signatures.read(),
        language: language.value as LanguageChoice,
        theme: theme.value as Settings["theme"],
        layout: layout.value as Settings["layout"],
        conversations: conversations.checked,
        threading: threading.value as Settings["threading"],
        order: order.value as Settings["order"],
        quoting: quoting.value as Settings["quoting"],
        readAfter: readAfter.valueAsNumber,
        notJunkAfter: notJunkAfter.valueAsNumber,
        undoSend: undoSend.valueAsNumber,
        writing: writing.value as Settings["writing"],
        body: body.value as Settings["body"],
        showRecipientSecurity: security.checked,
        showShortcuts: shortcuts.checked,
        showPreviews: previews.checked,
      };
      await call("SettingsSet", { settings });
      saved(settings);
      dialog.close();
      notice(t("Settings saved."));
    });
  };
  const dialog = openDialog(
    t("Settings"),
    el(
      "form",
      { onsubmit: submit, class: "settings" },
      field(t("Look"), theme),
      field(t("Language"), language),
      field(t("Layout"), layout),
      field(t("Message list"), threading),
      field(t("Order"), order),
      field(t("Messages with text and HTML"), body),
      signatures.rows,
      field(t("Write in"), writing),
      field(t("Answers stand"), quoting),
      field(
        t("Read after (s)"),
        readAfter,
        t("Seconds until an opened message counts as read. -1: only by hand."),
      ),
      field(
        t("Not junk after (s)"),
        notJunkAfter,
        t("Seconds until an opened message is marked as not junk, which trains your filter. -1: never."),
      ),
      field(
        t("Undo sending (s)"),
        undoSend,
        t("Seconds in which sending can be called off. 0: sent at once."),
      ),
      el(
        "div",
        { class: "checkboxes" },
        checkbox(
          conversations,
          t("Conversations"),
          t("Show the other messages of its thread around an opened message"),
        ),
        checkbox(previews, t("Previews"), t("Show the first words of messages in the list")),
        checkbox(
          security,
          t("Recipients' encryption"),
          t("Show how safely mail travels to those you write to"),
        ),
        checkbox(shortcuts, t("Show keys"), t("Show the key of a button that was clicked")),
      ),
      el(
        "div",
        { class: "buttons" },
        button(t("Cancel"), () => dialog.close()),
        el("button", { type: "submit", class: "primary" }, t("Save")),
      ),
      el("h3", {}, t("Rules")),
      el(
        "p",
        {},
        button(t("Rules for arriving mail"), rules),
        t(" Move, mark, forward or answer messages as they come."),
      ),
      accountPage === null ? null : [
        el("h3", {}, t("Account")),
        el(
          "p",
          {},
          el("a", { href: accountPage, target: "_blank" }, t("Account page")),
          t(": password and second factor, where mail goes, forwarding and replies while away, junk filter, import and export"),
        ),
      ],
      browserSettings(),
      el("h3", {}, t("Logged in")),
      sessions,
    ),
  );
  attempt(() => showSessions(sessions));
}

async function showSessions(into: HTMLElement): Promise<void> {
  const { sessions } = await call("SessionsList", {});
  fill(
    into,
    el(
      "table",
      { class: "sessions" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          [t("Where"), t("Address"), t("Last used"), ""].map((t) => el("th", { scope: "col" }, t)),
        ),
      ),
      el(
        "tbody",
        {},
        sessions.map((s) =>
          el(
            "tr",
            {},
            el(
              "td",
              { title: s.userAgent },
              `${browserName(s.userAgent)} (${s.service})`,
            ),
            el("td", {}, ipAddress(s.remoteIp)),
            el("td", { title: longDate(s.lastUsed) }, shortDate(s.lastUsed)),
            el(
              "td",
              {},
              s.current ? t("this one") : button(t("End"), () =>
                attempt(async () => {
                  await call("SessionRevoke", { id: s.id });
                  await showSessions(into);
                }), { title: t("Log this one out") }),
            ),
          )
        ),
      ),
    ),
  );
}

/** A browser and its system by their common names, from its User-Agent. */
function browserName(userAgent: string): string {
  const find = (names: readonly (readonly [string, string])[]) =>
    names.find(([mark]) => userAgent.includes(mark))?.[1];
  const browser = find([
    ["Firefox/", "Firefox"],
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
  ]);
  const system = find([
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Windows", "Windows"],
    ["Mac OS X", "macOS"],
    ["Linux", "Linux"],
  ]);
  if (browser === undefined) return userAgent.slice(0, 40) || t("Unknown program");
  return system === undefined ? browser : t("{0} on {1}", browser, system);
}
