/** The junk filter's results for the account over time. @module */
import { makeCall } from "../api/client.ts";
import { dayChart } from "../lib/chart.ts";
import { el, field, fill } from "../lib/dom.ts";
import { numberText } from "../lib/format.ts";
import { attempt } from "../lib/notify.ts";
import { facts, lead, part } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import { locale, t } from "../lib/text.ts";

const lengths = [7, 30, 90, 365];
/** The last choice, while the page is open. */
let chosen = 30;

const percent = () =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 });

/** The part of the section, for the period chosen in it. */
export async function junkDaysPart(): Promise<HTMLElement> {
  const view = el("div", { class: "stacked", "aria-live": "polite" });
  const draw = async () => {
    const { days } = await makeCall(accountCalls, "JunkDays", { days: chosen });
    fill(view, figures(days));
  };
  const period = el(
    "select",
    {
      onchange: () => {
        chosen = Number(period.value);
        attempt(draw);
      },
    },
    lengths.map((n) =>
      el("option", { value: n, selected: n === chosen }, t("the last {0} days", numberText(n)))
    ),
  );
  await draw();
  return part(
    t("Over time"),
    lead(
      t("Messages that came, and what you put right: mail that was junk, and mail in the Junk mailbox that was not."),
    ),
    el("div", { class: "filter" }, field(t("Period"), period)),
    view,
  );
}

interface Day {
  day: number;
  good: number;
  junk: number;
  refused: number;
  missed: number;
  falseAlarms: number;
}

function figures(days: readonly Day[]): HTMLElement[] {
  const sum = (of: (day: Day) => number) => days.reduce((n, d) => n + of(d), 0);
  const good = sum((d) => d.good), junk = sum((d) => d.junk), refused = sum((d) => d.refused);
  const missed = sum((d) => d.missed), falseAlarms = sum((d) => d.falseAlarms);
  if (good + junk + refused + missed + falseAlarms === 0) {
    return [el("p", { class: "none" }, t("No messages came from other servers."))];
  }
  const share = (n: number, all: number) =>
    all === 0 ? numberText(n) : `${numberText(n)} (${percent().format(Math.min(1, n / all))})`;
  return [
    dayChart(
      days.map((d) => ({ day: d.day, pass: d.good, fail: d.junk + d.refused })),
      { pass: t("good"), fail: t("junk or refused"), what: t("Messages") },
    ),
    facts([
      [t("Good"), numberText(good)],
      [t("To the Junk mailbox"), numberText(junk)],
      [t("Refused"), numberText(refused)],
      [t("Missed"), t("{0} of the good ones you marked as junk", share(missed, good))],
      [
        t("False alarms"),
        t("{0} of those in the Junk mailbox you marked as not junk", share(falseAlarms, junk)),
      ],
    ]),
  ];
}
