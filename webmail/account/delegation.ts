/** The section on others who send and read for the account. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import type { Section } from "../lib/frame.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, lead, part, table, tools } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import type { Level } from "./delegation_api.ts";

export function delegationSection(changed: () => Promise<void>): Section {
  return { id: "delegation", title: "Delegation", show: () => show(changed) };
}

const words = (text: string) => text.split(/[\s,]+/).filter((w) => w !== "");
const named = (list: readonly string[]) => list.length === 0 ? "nobody" : list.join(", ");

/** Rights in words, where they are one of the page's levels. */
function rightsText(rights: string): string {
  const has = (letters: string) => [...letters].every((l) => rights.includes(l));
  if (has("lrswipkxtea")) return "all, sharing too";
  if (has("lrswite")) return "read and change";
  if (has("lr") && !/[wipkxtea]/.test(rights)) return "read";
  return rights;
}

async function show(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const d = await makeCall(accountCalls, "Delegation", {});
  return [
    part(
      "Sending with your addresses",
      facts([
        ["As you", named(d.sendAs)],
        ["On your behalf", named(d.sendOnBehalf)],
        ["Copies in your Sent", d.sentCopies ? "yes" : "no"],
      ]),
      lead(
        "Who sends as you looks like you to those who get the message. Who sends on your behalf is named as the sender.",
      ),
      tools(button("Change who may send", () =>
        formDialog(
          "Sending with your addresses",
          [
            {
              name: "sendAs",
              label: "As you",
              type: "textarea",
              value: d.sendAs.join("\n"),
              explanation: "Accounts or addresses of this server, one on each line.",
            },
            {
              name: "sendOnBehalf",
              label: "On your behalf",
              type: "textarea",
              value: d.sendOnBehalf.join("\n"),
            },
            {
              name: "sentCopies",
              label: "Copies of what they send go into your Sent mailbox",
              type: "checkbox",
              value: d.sentCopies,
            },
          ],
          "Save",
          async (f) => {
            await makeCall(accountCalls, "DelegationSet", {
              sendAs: words(f.sendAs),
              sendOnBehalf: words(f.sendOnBehalf),
              sentCopies: f.sentCopies !== "",
            });
            notice("Who may send is saved.");
            await changed();
          },
        ))),
    ),
    part(
      "Mailboxes that others see",
      lead("They find them in their mail programs under “Other Users”."),
      table(
        ["Mailbox", "Who", "May", { text: "Actions", unseen: true }],
        d.shared.map((s) => [
          s.mailbox,
          s.who === "anyone" ? "all accounts" : s.who,
          rightsText(s.rights),
          s.who.startsWith("-") ? null : button("Take away", () =>
            attempt(async () => {
              await makeCall(accountCalls, "MailboxShare", {
                mailbox: s.mailbox,
                who: s.who,
                level: "none",
              });
              await changed();
            }), {
            danger: true,
            attributes: { "aria-label": `Take ${s.mailbox} away from ${s.who}` },
          }),
        ]),
        "Nobody sees your mailboxes.",
      ),
      tools(button("Share a mailbox", () =>
        formDialog(
          "Share a mailbox",
          [
            {
              name: "mailbox",
              label: "Mailbox",
              options: [
                ...d.mailboxes.map((m) => ({ value: m, text: m })),
                { value: "", text: "all mailboxes" },
              ],
            },
            { name: "who", label: "With", required: true, placeholder: "account or address" },
            {
              name: "level",
              label: "May",
              value: "read",
              options: [
                { value: "read", text: "read" },
                { value: "write", text: "read and change messages" },
                { value: "all", text: "all, sharing it with others too" },
              ],
            },
          ],
          "Share",
          async (f) => {
            await makeCall(accountCalls, "MailboxShare", {
              mailbox: f.mailbox,
              who: f.who.trim(),
              level: f.level as Level,
            });
            await changed();
          },
        ))),
    ),
    part(
      "Addresses of others that you may send from",
      d.others.length === 0
        ? el("p", { class: "muted" }, "None.")
        : el("ul", {}, d.others.map((a) => el("li", {}, a))),
    ),
  ];
}
