/** The list of domains; a single one is in domain.ts. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { hrefOf, type Section, type View } from "../../lib/frame.ts";
import { numberText } from "../../lib/format.ts";
import { formDialog, lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { domainView } from "./domain.ts";

/** @param whole for the server's administrator, rather than an administrator of some domains */
export function domainSection(changed: () => Promise<void>, whole = true): Section {
  return {
    id: "domains",
    title: "Domains",
    show: (name) => name === "" ? list(changed, whole) : domainView(name, changed, whole),
  };
}

async function list(changed: () => Promise<void>, whole: boolean): Promise<View> {
  const { domains } = await makeCall(adminCalls, "Domains", {});
  return {
    heading: "Domains",
    actions: whole ? button("Add domain", () => void add(), { primary: true }) : undefined,
    content: [
      lead("Mail is accepted for the addresses of these domains."),
      table(
        [
          "Domain",
          "State",
          { text: "Addresses", number: true },
          { text: "Aliases", number: true },
          "DKIM",
          "MTA-STS",
        ],
        domains.map((d) => [
          [
            el("a", { href: hrefOf("domains", d.name) }, d.name),
            d.description === "" ? null : el("div", { class: "muted" }, d.description),
          ],
          d.disabled
            ? el("span", { class: "state-warning" }, "disabled")
            : el("span", { class: "good" }, "active"),
          numberText(d.addresses),
          numberText(d.aliases),
          d.signed ? "signs" : el("span", { class: "state-warning" }, "does not sign"),
          d.mtasts === "" ? el("span", { class: "muted" }, "none") : d.mtasts,
        ]),
        "There are no domains yet. Add the one that your addresses are to be of.",
      ),
    ],
  };

  async function add(): Promise<void> {
    const { accounts } = await makeCall(adminCalls, "Accounts", {});
    formDialog(
      "Add domain",
      [
        { name: "name", label: "Domain", required: true, placeholder: "example.org" },
        {
          name: "account",
          label: "Account for its reports",
          options: accounts.map((a) => a.name),
          required: true,
          explanation: "Gets what others report of mail in the domain's name, in mailboxes apart.",
        },
        {
          name: "disabled",
          label: "Don't accept mail yet",
          type: "checkbox",
          explanation: "For preparing a move from another server.",
        },
      ],
      "Add",
      async ({ name, account, disabled }) => {
        await makeCall(adminCalls, "DomainAdd", { name, account, disabled: disabled !== "" });
        await changed();
      },
    );
  }
}
