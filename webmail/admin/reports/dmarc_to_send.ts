/** DMARC evaluations of incoming mail, about which other domains are sent reports. @module */
import { makeCall } from "../../api/client.ts";
import { button, linkButton } from "../../lib/button.ts";
import { confirmDialog, openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { numberText } from "../../lib/format.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";
import { sentText } from "./overview.ts";

export async function toSendPart(changed: () => Promise<void>): Promise<HTMLElement> {
  const s = await makeCall(adminCalls, "DmarcToSend", {});
  if (!s.enabled) {
    return part(
      "Reports to others",
      lead("None are sent: NoOutgoingDMARCReports is set in mox.conf, or there is no DNS here."),
    );
  }
  const remove = (domain: string) =>
    attempt(async () => {
      const yes = await confirmDialog(
        `Evaluations of ${domain}`,
        "They are removed, and not reported to the domain.",
        "Remove",
        { danger: true },
      );
      if (!yes) return;
      await makeCall(adminCalls, "DmarcEvaluationsRemove", { domain });
      await changed();
    });
  return part(
    "Reports to others",
    lead(
      "How messages in the name of others' domains were judged here; reported to those that ask for it. ",
      sentText(s.sent),
    ),
    table(
      ["Domain", { text: "Messages", number: true }, "Report", { text: "Actions", unseen: true }],
      s.domains.map((d) => [
        linkButton(d.domain, () => evaluations(d.domain)),
        numberText(d.count),
        d.wanted
          ? d.intervalHours === 1 ? "each hour" : `every ${d.intervalHours} hours`
          : el("span", { class: "muted" }, "not by itself: only reports came"),
        button("Remove", () => remove(d.domain), { danger: true }),
      ]),
      "Nothing waits to be reported.",
    ),
    el("h3", {}, "Addresses that get no reports"),
    table(
      ["Address", "Until", "Comment", { text: "Actions", unseen: true }],
      s.suppressed.map((x) => [
        x.address,
        date(x.until),
        x.comment,
        button("Send again", () =>
          attempt(async () => {
            await makeCall(adminCalls, "DmarcSuppress", {
              address: x.address,
              days: 0,
              comment: "",
            });
            await changed();
          })),
      ]),
      "There are none.",
    ),
    tools(
      button("Add address", () =>
        formDialog(
          "Send an address no reports",
          [
            { name: "address", label: "Address", type: "email", required: true },
            { name: "days", label: "For so many days", type: "number", min: 1, value: "30" },
            { name: "comment", label: "Comment" },
          ],
          "Add",
          async ({ address, days, comment }) => {
            await makeCall(adminCalls, "DmarcSuppress", { address, days: Number(days), comment });
            await changed();
          },
        )),
    ),
  );
}

function evaluations(domain: string): void {
  attempt(async () => {
    const e = await makeCall(adminCalls, "DmarcEvaluations", { domain });
    const result = (ok: boolean) =>
      el("span", { class: ok ? "good" : "bad" }, ok ? "pass" : "fail");
    openDialog(
      `Evaluations of ${domain}`,
      el(
        "div",
        { class: "stacked" },
        lead(
          e.addresses.length === 0
            ? "The domain names no address for reports."
            : `To be reported to ${e.addresses.join(", ")}.`,
        ),
        table(
          ["When", "From address", "DKIM", "SPF", "Done", "Domains"],
          e.evaluations.map((x) => [
            date(x.time),
            x.sourceIp,
            result(x.dkim),
            result(x.spf),
            x.disposition,
            el(
              "ul",
              {},
              el("li", {}, `From: ${x.headerFrom}`),
              el("li", {}, `bounces to ${x.envelopeFrom || "nobody"}`),
              el("li", {}, `sent to ${x.envelopeTo}`),
            ),
          ]),
          "There are none any more.",
        ),
      ),
      { wide: true },
    );
  });
}
