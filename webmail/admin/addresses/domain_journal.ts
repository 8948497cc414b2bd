/** Copies of all mail of a domain, and its monthly report. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { hrefOf } from "../../lib/frame.ts";
import { attempt } from "../../lib/notify.ts";
import { facts, formDialog, lead, part, tools } from "../../lib/page.ts";
import type { DomainDetail } from "../api/domains.ts";
import { adminCalls } from "../api/mod.ts";

/** @param whole for the server's administrator, who decides where copies go */
export function journalPart(
  detail: DomainDetail,
  changed: () => Promise<void>,
  whole: boolean,
): HTMLElement {
  const { journal, monthlyReport } = detail;
  return part(
    "Copies and reports",
    facts([
      ["Journal", journal === null ? el("span", { class: "muted" }, "none") : whereTo(journal)],
      [
        "Report of each month",
        monthlyReport
          ? `goes to ${detail.administrators.join(", ") || "the postmaster"}`
          : el("span", { class: "muted" }, "none"),
      ],
    ]),
    tools(
      whole ? button("Change journal", () => change(detail, changed)) : null,
      whole && journal !== null
        ? button("End journal", () => end(detail, changed), { danger: true })
        : null,
      button(
        monthlyReport ? "Stop report of each month" : "Report each month",
        () =>
          attempt(async () => {
            const { name, description, clientSettingsDomain, separators, caseSensitive } = detail;
            await makeCall(adminCalls, "DomainSet", {
              ...{ name, description, clientSettingsDomain, separators, caseSensitive },
              monthlyReport: !monthlyReport,
            });
            await changed();
          }),
      ),
    ),
  );
}

function whereTo(journal: NonNullable<DomainDetail["journal"]>) {
  return [
    `all mail is copied to ${journal.address}`,
    journal.account === "" ? "" : [
      ", mailbox ",
      journal.mailbox,
      " of ",
      el("a", { href: hrefOf("accounts", journal.account) }, journal.account),
    ],
    journal.keyFile === ""
      ? ", not encrypted"
      : [", encrypted to ", el("code", {}, journal.keyFile)],
  ];
}

function change(detail: DomainDetail, changed: () => Promise<void>): void {
  const { journal } = detail;
  formDialog(
    `Journal of ${detail.name}`,
    [
      {
        name: "address",
        label: "Copies go to",
        value: journal?.address ?? "",
        placeholder: `journal@${detail.name}`,
        required: true,
        explanation: "An address of an account here that nobody uses, or one elsewhere.",
      },
      {
        name: "mailbox",
        label: "Mailbox, if the account is here",
        value: journal?.mailbox ?? "Journal",
      },
      {
        name: "key",
        label: "Key that copies are encrypted to",
        type: "textarea",
        rows: 4,
        explanation: journal !== null && journal.keyFile !== ""
          ? `An OpenPGP public key or an S/MIME certificate. Empty for that in ${journal.keyFile}.`
          : "An OpenPGP public key or an S/MIME certificate. Empty for copies that can be read by whoever administers the server.",
      },
      ...journal !== null && journal.keyFile !== ""
        ? [{ name: "plain", label: "Encrypt no more", type: "checkbox" as const, value: false }]
        : [],
    ],
    "Save",
    async (f) => {
      await makeCall(adminCalls, "DomainJournalSet", {
        name: detail.name,
        journal: {
          address: f.address.trim(),
          mailbox: f.mailbox.trim(),
          keyFile: f.plain ? "" : journal?.keyFile ?? "",
          key: f.plain ? "" : f.key.trim(),
        },
      });
      await changed();
    },
    lead(
      "A copy is on disk before its message is taken or sent. While none can be made, mail of the domain is refused with a " +
        "temporary error.",
    ),
  );
}

function end(detail: DomainDetail, changed: () => Promise<void>): void {
  attempt(async () => {
    const yes = await confirmDialog(
      `End the journal of ${detail.name}`,
      "No more copies are made. Those that are there stay.",
      "End",
      { danger: true },
    );
    if (!yes) return;
    await makeCall(adminCalls, "DomainJournalSet", { name: detail.name, journal: null });
    await changed();
  });
}
