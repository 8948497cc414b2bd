/** Addresses to which accounts no longer send. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";

export function suppressionSection(changed: () => Promise<void>): Section {
  return { id: "suppressions", title: "Suppressed", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const [{ entries }, { accounts }] = await Promise.all([
    makeCall(adminCalls, "Suppressions", {}),
    makeCall(adminCalls, "Accounts", {}),
  ]);
  return {
    heading: "Suppressed addresses",
    actions: button("Add address", () =>
      formDialog(
        "Suppress an address",
        [
          { name: "account", label: "Account", options: accounts.map((a) => a.name) },
          { name: "address", label: "Address", type: "email", required: true },
          { name: "reason", label: "Reason" },
        ],
        "Add",
        async ({ account, address, reason }) => {
          await makeCall(adminCalls, "SuppressionAdd", { account, address, reason });
          await changed();
        },
      )),
    content: [
      lead(
        "Messages of the account to these addresses fail at once: they have bounced for good, or someone " +
          "has put them here.",
      ),
      table(
        ["Account", "Address", "Since", "By", "Reason", { text: "Actions", unseen: true }],
        entries.map((s) => [
          s.account,
          s.address,
          date(s.created),
          s.manual ? "a person" : "bounces",
          s.reason,
          button("Remove", () =>
            attempt(async () => {
              const yes = await confirmDialog(
                `Write to ${s.address} again`,
                "If the address bounces again, other servers take the host for one that does not look after " +
                  "its lists.",
                "Remove from the list",
              );
              if (!yes) return;
              await makeCall(adminCalls, "SuppressionRemove", {
                account: s.account,
                address: s.address,
              });
              await changed();
            })),
        ]),
        "No address is suppressed.",
      ),
    ],
  };
}
