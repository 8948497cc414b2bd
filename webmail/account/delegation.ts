/** The section for others who send and read on behalf of the account. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import type { Section } from "../lib/frame.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, lead, part, table, tools } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import type { Level } from "./delegation_api.ts";
import { t } from "../lib/text.ts";

export function delegationSection(changed: () => Promise<void>): Section {
  return { id: "delegation", title: t("Delegation"), show: () => show(changed) };
}

const words = (text: string) => text.split(/[\s,]+/).filter((w) => w !== "");
const named = (list: readonly string[]) => list.length === 0 ? t("nobody") : list.join(", ");

/** Rights in words, if they are one of the page's levels. */
function rightsText(rights: string): string {
  const has = (letters: string) => [...letters].every((l) => rights.includes(l));
  if (has("lrswipkxtea")) return t("all, sharing too");
  if (has("lrswite")) return t("read and change");
  if (has("lr") && !/[wipkxtea]/.test(rights)) return t("read");
  return rights;
}

async function show(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const d = await makeCall(accountCalls, "Delegation", {});
  return [
    part(
      t("Sending with your addresses"),
      facts([
        [t("As you"), named(d.sendAs)],
        [t("On your behalf"), named(d.sendOnBehalf)],
        [t("Copies in your Sent"), d.sentCopies ? t("yes") : t("no")],
      ]),
      lead(
        t("Who sends as you looks like you to those who get the message. Who sends on your behalf is named as the sender."),
      ),
      tools(button(t("Change who may send"), () =>
        formDialog(
          t("Sending with your addresses"),
          [
            {
              name: "sendAs",
              label: t("As you"),
              type: "textarea",
              value: d.sendAs.join("\n"),
              explanation: t("Accounts or addresses of this server, one on each line."),
            },
            {
              name: "sendOnBehalf",
              label: t("On your behalf"),
              type: "textarea",
              value: d.sendOnBehalf.join("\n"),
            },
            {
              name: "sentCopies",
              label: t("Copies of what they send go into your Sent mailbox"),
              type: "checkbox",
              value: d.sentCopies,
            },
          ],
          t("Save"),
          async (f) => {
            await makeCall(accountCalls, "DelegationSet", {
              sendAs: words(f.sendAs),
              sendOnBehalf: words(f.sendOnBehalf),
              sentCopies: f.sentCopies !== "",
            });
            notice(t("Who may send is saved."));
            await changed();
          },
        ))),
    ),
    part(
      t("Mailboxes that others see"),
      lead(t("They find them in their mail programs under “Other Users”.")),
      table(
        [t("Mailbox"), t("Who"), t("May"), { text: t("Actions"), unseen: true }],
        d.shared.map((s) => [
          s.mailbox,
          s.who === "anyone" ? t("all accounts") : s.who,
          rightsText(s.rights),
          s.who.startsWith("-") ? null : button(t("Take away"), () =>
            attempt(async () => {
              await makeCall(accountCalls, "MailboxShare", {
                mailbox: s.mailbox,
                who: s.who,
                level: "none",
              });
              await changed();
            }), {
            danger: true,
            attributes: { "aria-label": t("Take {0} away from {1}", s.mailbox, s.who) },
          }),
        ]),
        t("Nobody sees your mailboxes."),
      ),
      tools(button(t("Share a mailbox"), () =>
        formDialog(
          t("Share a mailbox"),
          [
            {
              name: "mailbox",
              label: t("Mailbox"),
              options: [
                ...d.mailboxes.map((m) => ({ value: m, text: m })),
                { value: "", text: t("all mailboxes") },
              ],
            },
            { name: "who", label: t("With"), required: true, placeholder: t("account or address") },
            {
              name: "level",
              label: t("May"),
              value: "read",
              options: [
                { value: "read", text: t("read") },
                { value: "write", text: t("read and change messages") },
                { value: "all", text: t("all, sharing it with others too") },
              ],
            },
          ],
          t("Share"),
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
      t("Addresses of others that you may send from"),
      d.others.length === 0
        ? el("p", { class: "muted" }, t("None."))
        : el("ul", {}, d.others.map((a) => el("li", {}, a))),
    ),
  ];
}
