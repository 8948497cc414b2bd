/** The list of accounts; a single one is in account.ts. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { hrefOf, type Section, type View } from "../../lib/frame.ts";
import { sizeText } from "../../lib/format.ts";
import { formDialog, lead, secretDialog, table } from "../../lib/page.ts";
import { accountView } from "./account.ts";
import { adminCalls } from "../api/mod.ts";

/** @param whole for the server's administrator, rather than an administrator of some domains */
export function accountSection(changed: () => Promise<void>, whole = true): Section {
  return {
    id: "accounts",
    title: "Accounts",
    show: (name) => name === "" ? list(changed) : accountView(name, changed, whole),
  };
}

/** Addresses per row of the list; the account's own view has the rest. */
const maxAddresses = 5;

async function list(changed: () => Promise<void>): Promise<View> {
  const { accounts } = await makeCall(adminCalls, "Accounts", {});
  return {
    heading: "Accounts",
    actions: button("Add account", () => add(changed), { primary: true }),
    content: [
      lead("Users, each with a password, addresses of any of the domains, and mail."),
      table(
        ["Account", "Addresses", { text: "Used", number: true }, "Login"],
        accounts.map((a) => [
          [
            el("a", { href: hrefOf("accounts", a.name) }, a.name),
            a.fullName === "" ? null : el("div", { class: "muted" }, a.fullName),
          ],
          el(
            "ul",
            {},
            a.addresses.slice(0, maxAddresses).map((x) => el("li", {}, x)),
            a.addresses.length > maxAddresses
              ? el("li", { class: "muted" }, `and ${a.addresses.length - maxAddresses} more`)
              : null,
          ),
          a.usage === null ? "–" : sizeText(a.usage),
          a.loginDisabled === ""
            ? el("span", { class: "good" }, "may log in")
            : el("span", { class: "state-warning" }, `disabled: ${a.loginDisabled}`),
        ]),
        "There are no accounts yet.",
      ),
    ],
  };
}

function add(changed: () => Promise<void>): void {
  formDialog(
    "Add account",
    [
      {
        name: "name",
        label: "Account name",
        required: true,
        explanation: "For you and the log; users log in with an address.",
      },
      { name: "address", label: "First address", type: "email", required: true },
    ],
    "Add",
    async ({ name, address }) => {
      const { password } = await makeCall(adminCalls, "AccountAdd", { name, address });
      await changed();
      secretDialog("Account made", `Password of ${address}, shown this once:`, password);
    },
  );
}
