/**
 * DMARC failure reports: single messages in the name of the server's domains that failed elsewhere. @module
 */
import { makeCall } from "../../api/client.ts";
import { linkButton } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { longDate, numberText } from "../../lib/format.ts";
import { facts, lead, part, shortened, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { DmarcFailure } from "../api/reports.ts";
import { date } from "../dates.ts";
import { chosen } from "./overview.ts";

/** The list for the chosen period and domain; undefined if it is empty, as few servers send them. */
export async function failuresPart(): Promise<HTMLElement | undefined> {
  const { failures } = await makeCall(adminCalls, "DmarcFailures", { ...chosen });
  if (failures.length === 0) return undefined;
  return part(
    "Messages that failed",
    lead("Failure reports on single messages: which server sent them, and what they said."),
    shortened(failures, (list) =>
      table(
        ["Subject", "Failed", "Domain", "From server", "Became", "Reported by", "When"],
        list.map((f) => [
          linkButton(f.subject || "(none)", () => failure(f)),
          f.kind,
          f.domain,
          f.sourceIp,
          f.delivery,
          f.reporter,
          date(f.arrival || f.received),
        ]),
        "",
      )),
  );
}

function failure(f: DmarcFailure): void {
  const details: readonly (readonly [string, string])[] = [
    ["Subject", f.subject],
    ["From", f.from],
    ["Message-ID", f.messageId],
    ["Sender in SMTP", f.mailFrom],
    ["Recipients", f.recipients.join(", ")],
    ["From server", f.sourceIp],
    ["Arrived", f.arrival === 0 ? "" : longDate(f.arrival)],
    ["Failed", f.kind],
    ["Domain", f.domain],
    ["DKIM", f.dkimDomain && `${f.dkimDomain}, selector ${f.dkimSelector || "unknown"}`],
    ["SPF record", f.spfDns],
    ["Became", f.delivery],
    ["Messages like it", f.incidents > 1 ? numberText(f.incidents) : ""],
    ["Reported by", `${f.reporter}, ${longDate(f.received)}`],
  ];
  openDialog(
    "Message that failed",
    el("div", { class: "stacked" }, facts(details.filter(([, text]) => text !== ""))),
    { wide: true },
  );
}
