/** Choosing how many days back reports are shown, and of which domain. @module */
import { el, field } from "../lib/dom.ts";

/** What was chosen last; for both kinds of reports, while the page is open. */
export const chosen = { days: 30, domain: "" };

const lengths = [7, 30, 90, 365];

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

/** What became of reports to others. */
export function sentText(sent: { sent: number; unwanted: number; error: number }): string {
  return `Since the server started ${sent.sent} were sent, ${sent.unwanted} were not wanted or had no ` +
    `address, and ${sent.error} failed.`;
}
