/** Contacts in a message, each as a card. @module */
import { type ContactCard, type ParsedMessage, partUrl } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { type Child, el } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";

/** Cards of a message's contacts; null if there are none. */
export function contactCards(
  message: ParsedMessage,
  write: (address: string) => void,
): HTMLElement[] | null {
  return message.contacts.length === 0
    ? null
    : message.contacts.map((c) => card(message, c, write));
}

function card(
  message: ParsedMessage,
  c: ContactCard,
  write: (address: string) => void,
): HTMLElement {
  const row = (name: string, values: readonly Child[]) =>
    values.length === 0 ? null : [
      el("dt", {}, name),
      el("dd", {}, values.map((v, i) => [i === 0 ? null : ", ", el("bdi", {}, v)])),
    ];
  const text = (s: string): Child[] => s === "" ? [] : [safeText(s)];
  return el(
    "section",
    { class: "card contact", "aria-label": t("Contact") },
    el("h2", { dir: "auto" }, safeText(c.name)),
    el(
      "dl",
      { class: "message-fields" },
      row(t("At"), text([c.title, c.organisation].filter((t) => t !== "").join(", "))),
      row(
        t("Mail"),
        c.emails.map((address) =>
          button(address, () => write(address), {
            title: t("Write to {0}", address),
            attributes: { class: "link" },
          })
        ),
      ),
      row(
        t("Phone"),
        c.phones.map((phone) => el("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone)),
      ),
      row(t("Address"), c.addresses.map((a) => el("span", { dir: "auto" }, safeText(a)))),
      row(
        t("Web"),
        c.urls.map((u) =>
          el(
            "a",
            {
              href: u,
              target: "_blank",
              rel: "noopener noreferrer",
              title: t("Opens {0}", new URL(u).host),
            },
            safeText(u),
          )
        ),
      ),
      row(t("Birthday"), text(c.birthday)),
      row(t("Note"), text(c.note)),
    ),
    el(
      "div",
      { class: "buttons-in-row" },
      el(
        "a",
        { href: partUrl(message.item.id, c.path, { download: true }), download: "contact.vcf" },
        t("Save as file"),
      ),
    ),
  );
}
