/**
 * Shared by the sections on received reports: the choice of period and domain, and the list of reports. @module
 */
import { linkButton } from "../../lib/button.ts";
import { shareBar } from "../../lib/chart.ts";
import { el, field } from "../../lib/dom.ts";
import { numberText } from "../../lib/format.ts";
import { part, shortened, table } from "../../lib/page.ts";
import { days as daysText } from "../dates.ts";

/** The last choice, for both kinds of reports, while the page is open. */
export const chosen = { days: 30, domain: "" };

const lengths = [7, 30, 90, 365];

/** The choice of period and domain; `changed` redraws the section. */
export function periodForm(
  domains: readonly string[],
  changed: () => Promise<void>,
): HTMLElement {
  const days = el(
    "select",
    {
      onchange: () => {
        chosen.days = Number(days.value);
        void changed();
      },
    },
    lengths.map((n) =>
      el("option", { value: n, selected: n === chosen.days }, `the last ${n} days`)
    ),
  );
  const names = new Set(domains);
  if (chosen.domain !== "") names.add(chosen.domain);
  const domain = el(
    "select",
    {
      onchange: () => {
        chosen.domain = domain.value;
        void changed();
      },
    },
    el("option", { value: "" }, "all"),
    [...names].sort().map((n) => el("option", { value: n, selected: n === chosen.domain }, n)),
  );
  return el(
    "div",
    { class: "filter", role: "group", "aria-label": "Which reports" },
    field("Period", days),
    field("Domain", domain),
  );
}

/** A report in the list. */
export interface ListedReport {
  id: number;
  organization: string;
  /** A domain or host. */
  about: string;
  begin: number;
  end: number;
  good: number;
  bad: number;
}

/** The received reports; `open` shows one. */
export function reportsPart(
  list: readonly ListedReport[],
  titles: { about: string; counted: string; good: string },
  open: (id: number) => void,
): HTMLElement {
  return part(
    "Reports",
    shortened(list, (reports) =>
      table(
        ["From", titles.about, "Period", { text: titles.counted, number: true }, titles.good],
        reports.map((report) => [
          linkButton(report.organization || "(unnamed)", () => open(report.id)),
          report.about,
          daysText(report.begin, report.end),
          numberText(report.good + report.bad),
          shareBar(report.good, report.bad),
        ]),
        "",
      )),
  );
}

/** Results of sending reports. */
export function sentText(sent: { sent: number; unwanted: number; error: number }): string {
  return `Since the server started ${sent.sent} were sent, ${sent.unwanted} were not wanted or had no ` +
    `address, and ${sent.error} failed.`;
}
