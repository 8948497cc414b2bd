/** Accounts and their addresses. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog, promptDialog } from "../lib/dialog.ts";
import { el } from "../lib/dom.ts";
import { sizeText } from "../lib/format.ts";
import { attempt } from "../lib/notify.ts";
import { formDialog, secretDialog, type Section, table } from "../lib/page.ts";
import { adminCalls, type AdminOverview } from "./api.ts";

/** The section on accounts. */
export function accountSections(changed: () => Promise<void>): Section[] {
  return [{ id: "accounts", title: "Accounts", show: () => accounts(changed) }];
}

type Account = AdminOverview["accounts"][number];

async function accounts(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const o = await makeCall(adminCalls, "Overview", {});
  return [
    button("Add account", () =>
      formDialog(
        "Add account",
        [
          {
            name: "name",
            label: "Account name",
            required: true,
            explanation: "For you and the log; users log in with an address",
          },
          { name: "address", label: "First address", type: "email", required: true },
        ],
        "Add",
        async ({ name, address }) => {
          const { password } = await makeCall(adminCalls, "AccountAdd", { name, address });
          await changed();
          secretDialog("Account made", `Password of ${address}, shown this once:`, password);
        },
      ), { primary: true }),
    table(
      ["Account", "Addresses", "Used", "Login", ""],
      o.accounts.map((a) => [
        a.name,
        el("ul", {}, a.addresses.map((x) => el("li", {}, x))),
        a.usage === null ? "–" : sizeText(a.usage),
        a.loginDisabled === "" ? "" : `disabled: ${a.loginDisabled}`,
        actions(a, changed),
      ]),
      "There are no accounts yet.",
    ),
  ];
}

function actions(a: Account, changed: () => Promise<void>): HTMLElement[] {
  const then = (run: () => Promise<unknown>) =>
    attempt(async () => {
      await run();
      await changed();
    });
  return [
    button("Add address", () =>
      formDialog(
        `Address of ${a.name}`,
        [{
          name: "address",
          label: "Address",
          required: true,
          explanation: "@example.org takes all that have no address of their own",
        }],
        "Add",
        async ({ address }) => {
          await makeCall(adminCalls, "AddressAdd", { address, account: a.name });
          await changed();
        },
      )),
    button("Remove address", () =>
      formDialog(
        `Remove an address of ${a.name}`,
        [{ name: "address", label: "Address", options: a.addresses, required: true }],
        "Remove",
        async ({ address }) => {
          await makeCall(adminCalls, "AddressRemove", { address });
          await changed();
        },
      )),
    button("New password", () =>
      attempt(async () => {
        const yes = await confirmDialog(
          `New password for ${a.name}`,
          "A password is made. The old one works no more, and all pages are logged out.",
          "Make",
        );
        if (!yes) return;
        const { password } = await makeCall(adminCalls, "AccountPassword", { name: a.name });
        secretDialog("New password", `Password of ${a.name}, shown this once:`, password);
      })),
    button("No second factor", () =>
      attempt(async () => {
        const yes = await confirmDialog(
          `Second factor of ${a.name}`,
          "For a user who has lost it: the password alone lets in then. Nothing happens if there is none.",
          "Remove",
        );
        if (yes) await makeCall(adminCalls, "SecondFactorRemove", { name: a.name });
      })),
    a.loginDisabled === ""
      ? button("Disable login", () =>
        then(async () => {
          const text = await promptDialog(
            "Disable login",
            "Told at attempts to log in",
            "This account is disabled.",
            "Disable",
          );
          if (text) await makeCall(adminCalls, "AccountDisable", { name: a.name, text });
        }))
      : button(
        "Enable login",
        () => then(() => makeCall(adminCalls, "AccountDisable", { name: a.name, text: "" })),
      ),
    button("Remove", () =>
      then(async () => {
        const yes = await confirmDialog(
          `Remove ${a.name}`,
          "The account is removed with all its mail, for good.",
          "Remove",
          { danger: true },
        );
        if (yes) await makeCall(adminCalls, "AccountRemove", { name: a.name });
      }), { danger: true }),
  ];
}
