/** Rules by which new messages are held in the queue. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";

export async function holdRulesPart(changed: () => Promise<void>): Promise<HTMLElement> {
  const { rules } = await makeCall(adminCalls, "HoldRules", {});
  return part(
    "Hold rules",
    lead("New messages that fit are held until you release them."),
    table(
      ["Account", "Domain of the sender", "Domain of the recipient", {
        text: "Actions",
        unseen: true,
      }],
      rules.map((r) => [
        r.account || "any",
        r.senderDomain || "any",
        r.recipientDomain || "any",
        button("Remove", () =>
          attempt(async () => {
            await makeCall(adminCalls, "HoldRuleRemove", { id: r.id });
            await changed();
          })),
      ]),
      "There are none.",
    ),
    tools(
      button("Add hold rule", () =>
        formDialog(
          "Add hold rule",
          [
            { name: "account", label: "Account", explanation: "Empty for any." },
            {
              name: "senderDomain",
              label: "Domain of the sender",
              placeholder: "example.org",
              explanation: "Empty for any.",
            },
            {
              name: "recipientDomain",
              label: "Domain of the recipient",
              placeholder: "example.net",
              explanation: "Empty for any. With all three empty everything is held.",
            },
          ],
          "Add",
          async ({ account, senderDomain, recipientDomain }) => {
            await makeCall(adminCalls, "HoldRuleAdd", {
              account: account.trim(),
              senderDomain: senderDomain.trim(),
              recipientDomain: recipientDomain.trim(),
            });
            await changed();
          },
        )),
    ),
  );
}
