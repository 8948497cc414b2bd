/**
 * DMARC reports: what others found about the user's own domains, and what they are told about theirs. @module
 */
import { makeCall } from "../../api/client.ts";
import { dayChart, shareBar } from "../../lib/chart.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { hrefOf, type Section, type View } from "../../lib/frame.ts";
import { numberText } from "../../lib/format.ts";
import { attempt } from "../../lib/notify.ts";
import { facts, lead, part, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { days } from "../dates.ts";
import { failuresPart } from "./dmarc_failures.ts";
import { toSendPart } from "./dmarc_to_send.ts";
import { chosen, periodForm, reportsPart } from "./overview.ts";

export function dmarcSection(changed: () => Promise<void>): Section {
  return { id: "dmarc", title: "DMARC", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const [r, { domains: own }, failures, toSend] = await Promise.all([
    makeCall(adminCalls, "DmarcReports", { ...chosen }),
    makeCall(adminCalls, "Domains", {}),
    failuresPart(),
    toSendPart(changed),
  ]);
  const total = r.domains.reduce((n, d) => n + d.total, 0);
  return {
    heading: "DMARC reports",
    content: [
      lead(
        "What other servers found about messages that named your domains as their sender. A message passes " +
          "if DKIM or SPF does, for the domain that people see.",
      ),
      periodForm(own.map((d) => d.name), changed),
      total === 0
        ? el(
          "p",
          { class: "none" },
          "No reports came in. Others send them to the address in the domain's DMARC record, mostly once a day.",
        )
        : [
          dayChart(r.days, { pass: "passed", fail: "failed", what: "Messages" }),
          part(
            "By domain",
            table(
              [
                "Domain",
                { text: "Messages", number: true },
                { text: "Failed", number: true },
                "DKIM",
                "SPF",
                { text: "Let in", number: true },
                { text: "Quarantined", number: true },
                { text: "Refused", number: true },
              ],
              r.domains.map((d) => [
                el("a", { href: hrefOf("domains", d.domain) }, d.domain),
                numberText(d.total),
                el("span", { class: d.bothFail > 0 ? "bad" : "" }, numberText(d.bothFail)),
                shareBar(d.total - d.dkimFail, d.dkimFail),
                shareBar(d.total - d.spfFail, d.spfFail),
                numberText(d.dispositionNone),
                numberText(d.quarantine),
                numberText(d.reject),
              ]),
              "",
            ),
          ),
          part(
            "Servers whose messages failed",
            lead("Yours that are not set up, lists and forwarders, or forgers."),
            table(
              ["Address", "Domain", { text: "Failed", number: true }, {
                text: "Messages",
                number: true,
              }],
              r.sources.map((s) => [s.ip, s.domain, numberText(s.fail), numberText(s.total)]),
              "There are none.",
            ),
          ),
          reportsPart(
            r.reports.map((x) => ({
              ...x,
              about: x.domain,
              good: x.total - x.fail,
              bad: x.fail,
            })),
            { about: "Domain", counted: "Messages", good: "Passed" },
            report,
          ),
        ],
      failures,
      toSend,
    ],
  };
}

function report(id: number): void {
  attempt(async () => {
    const r = await makeCall(adminCalls, "DmarcReport", { id });
    const result = (s: string) =>
      el("span", { class: s === "pass" ? "good" : s === "fail" ? "bad" : "" }, s || "–");
    openDialog(
      `Report of ${r.organization}`,
      el(
        "div",
        { class: "stacked" },
        facts([
          ["Domain", r.domain],
          ["Period", days(r.begin, r.end)],
          ["Policy then", el("code", {}, r.policy)],
          ["Sent by", r.email],
          ["Id", el("code", {}, r.reportId)],
          ...r.errors.length > 0 ? [["Errors", r.errors.join("; ")] as const] : [],
        ]),
        table(
          [
            "From address",
            { text: "Messages", number: true },
            "DKIM",
            "SPF",
            "Done",
            "Domains",
            "Results",
          ],
          r.records.map((x) => [
            x.sourceIp,
            numberText(x.count),
            result(x.dkim),
            result(x.spf),
            [
              x.disposition,
              x.reasons.length === 0 ? null : el("div", { class: "muted" }, x.reasons.join("; ")),
            ],
            el(
              "ul",
              {},
              el("li", {}, `From: ${x.headerFrom}`),
              x.envelopeFrom === "" ? null : el("li", {}, `bounces to ${x.envelopeFrom}`),
              x.envelopeTo === "" ? null : el("li", {}, `sent to ${x.envelopeTo}`),
            ),
            el(
              "ul",
              {},
              x.dkimResults.map((t) => el("li", {}, `DKIM ${t}`)),
              x.spfResults.map((t) => el("li", {}, `SPF ${t}`)),
            ),
          ]),
          "The report has no records.",
        ),
      ),
      { wide: true },
    );
  });
}
