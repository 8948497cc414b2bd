/** TLS reports: results of others' TLS connections to this host, and of this host's to them. @module */
import { makeCall } from "../../api/client.ts";
import { button, linkButton } from "../../lib/button.ts";
import { dayChart, shareBar } from "../../lib/chart.ts";
import { confirmDialog, openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { numberText } from "../../lib/format.ts";
import { attempt } from "../../lib/notify.ts";
import { facts, lead, part, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { TlsPolicy } from "../api/reports.ts";
import { date, days } from "../dates.ts";
import { chosen, periodForm, reportsPart, sentText } from "./overview.ts";

export function tlsReportSection(changed: () => Promise<void>): Section {
  return { id: "tls", title: "TLS", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const [r, { domains: own }, toSend, { policies }] = await Promise.all([
    makeCall(adminCalls, "TlsReports", { ...chosen }),
    makeCall(adminCalls, "Domains", {}),
    toSendPart(changed),
    makeCall(adminCalls, "StsPolicies", {}),
  ]);
  return {
    heading: "TLS reports",
    content: [
      lead("How other servers fared with TLS when they delivered mail to you."),
      periodForm(own.map((d) => d.name), changed),
      r.reports.length === 0
        ? el(
          "p",
          { class: "none" },
          "No reports came in. Others send them to the address in the record _smtp._tls of the domain.",
        )
        : [
          dayChart(r.days, { pass: "with TLS", fail: "failed", what: "Connections" }),
          part(
            "Why connections failed",
            table(
              ["Reason", { text: "Connections", number: true }],
              r.failures.map((f) => [el("code", {}, f.type), numberText(f.count)]),
              "None did.",
            ),
          ),
          reportsPart(
            r.reports.map((x) => ({
              ...x,
              about: x.hostReport ? `host ${x.domain}` : x.domain,
              good: x.success,
              bad: x.failure,
            })),
            { about: "About", counted: "Connections", good: "With TLS" },
            report,
          ),
        ],
      toSend,
      part(
        "MTA-STS policies of others",
        lead("Domains that ask to be sent to by TLS with certificates that can be verified only."),
        table(
          ["Domain", "Mode", "Hosts", "Fetched", "Holds until"],
          policies.map((p) => [
            p.domain,
            p.mode,
            p.mx.join(", "),
            date(p.fetched),
            date(p.expires),
          ]),
          "None was seen yet.",
        ),
      ),
    ],
  };
}

async function toSendPart(changed: () => Promise<void>): Promise<HTMLElement> {
  const s = await makeCall(adminCalls, "TlsToSend", {});
  if (!s.enabled) {
    return part(
      "Reports to others",
      lead("None are sent: NoOutgoingTLSReports is set in mox.conf, or there is no DNS here."),
    );
  }
  const day = (d: string) => `${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6)}`;
  return part(
    "Reports to others",
    lead(
      "How connections to other servers went; reported to those that ask for it after the day has ended. ",
      sentText(s.sent),
    ),
    table(
      ["Day", "Domain or host", { text: "Connections", number: true }, "With TLS", {
        text: "Actions",
        unseen: true,
      }],
      s.results.map((r) => [
        day(r.day),
        [
          linkButton(
            r.policyDomain,
            () =>
              openDialog(
                `Results with ${r.policyDomain}`,
                el(
                  "div",
                  { class: "stacked" },
                  facts([
                    ["Day", day(r.day)],
                    ["Recipients at", r.recipientDomain],
                    ["About", r.isHost ? "a host" : "a domain"],
                  ]),
                  r.policies.map(policy),
                ),
                { wide: true },
              ),
          ),
          r.wanted ? null : el("div", { class: "muted" }, "only reports were sent: not reported"),
        ],
        numberText(r.success + r.failure),
        shareBar(r.success, r.failure),
        button("Remove", () =>
          attempt(async () => {
            const yes = await confirmDialog(
              `Results with ${r.policyDomain}`,
              "They are removed, and not reported.",
              "Remove",
              { danger: true },
            );
            if (!yes) return;
            await makeCall(adminCalls, "TlsResultsRemove", {
              day: r.day,
              policyDomain: r.policyDomain,
              isHost: r.isHost,
            });
            await changed();
          }), { danger: true }),
      ]),
      "Nothing waits to be reported.",
    ),
  );
}

const policyNames: Record<string, string> = {
  sts: "MTA-STS",
  tlsa: "DANE",
  "no-policy-found": "no policy",
};

function policy(p: TlsPolicy): HTMLElement {
  return el(
    "section",
    {},
    el("h3", {}, `${policyNames[p.type] ?? (p.type || "Policy")} of ${p.domain}`),
    facts([
      ["With TLS", numberText(p.success)],
      ["Failed", el("span", { class: p.failure > 0 ? "bad" : "" }, numberText(p.failure))],
      ...p.mx.length > 0 ? [["Hosts", p.mx.join(", ")] as const] : [],
    ]),
    p.lines.length > 0 ? el("pre", { tabindex: 0 }, p.lines.join("\n")) : null,
    p.failures.length === 0 ? null : table(
      ["Reason", { text: "Connections", number: true }, "Host", "From", "To", "More"],
      p.failures.map((f) => [
        el("code", {}, f.type),
        numberText(f.count),
        f.host,
        f.sendingIp,
        f.receivingIp,
        f.text,
      ]),
      "",
    ),
  );
}

function report(id: number): void {
  attempt(async () => {
    const r = await makeCall(adminCalls, "TlsReport", { id });
    openDialog(
      `Report of ${r.organization}`,
      el(
        "div",
        { class: "stacked" },
        facts([
          ["About", r.domain],
          ["Period", days(r.begin, r.end)],
          ["Contact", r.contact],
          ["Id", el("code", {}, r.reportId)],
        ]),
        r.policies.map(policy),
      ),
      { wide: true },
    );
  });
}
