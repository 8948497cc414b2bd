/** The header of an opened message: from whom, when, flags, and whether the sender is authentic. @module */
import type { Address, MessageItem, ParsedMessage } from "../../api/mod.ts";
import { call } from "../../api/client.ts";
import { askSendTime } from "../compose/send_options.ts";
import { button, linkButton } from "../../lib/button.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { el, explain, fill } from "../../lib/dom.ts";
import { longDate, plannedDate, sizeText } from "../../lib/format.ts";
import { safeText } from "../../lib/scripts.ts";
import { keywordLabel } from "../label_colors.ts";
import { flagWords, fullAddress, has } from "../names.ts";
import { t } from "../../lib/text.ts";

/** Fields of the header, followed by `more`. Addresses are buttons to write to them. */
export function messageFields(
  it: MessageItem,
  { to, cc, bcc, replyTo }: ParsedMessage["recipients"],
  more: ParsedMessage["headers"],
  onCompose: (to: string) => void,
): HTMLElement {
  return el(
    "dl",
    { class: "message-fields" },
    people(t("From"), it.from, onCompose),
    people(t("Reply to"), differs(replyTo, it.from) ? replyTo : [], onCompose),
    people(t("To"), to, onCompose),
    people(t("Cc"), cc, onCompose),
    people(t("Bcc"), bcc, onCompose),
    fieldRow(t("Date"), [longDate(it.sent ?? it.received), ...keywords(it)]),
    more.map((h) => fieldRow(h.name, safeText(h.value))),
  );
}

function people(
  label: string,
  list: readonly Address[],
  onCompose: (to: string) => void,
): HTMLElement[] | null {
  if (list.length === 0) return null;
  const shown = list.slice(0, 12);
  const rest = list.slice(12);
  const one = (address: Address) => [
    linkButton(
      fullAddress(address),
      () => onCompose(fullAddress(address)),
      t("Write to {0}", address.address),
    ),
  ];
  const links = (l: readonly Address[]) => l.flatMap((a, i) => [...i > 0 ? [", "] : [], ...one(a)]);
  const box = el("span", {}, links(shown));
  for (const b of box.querySelectorAll("button")) fill(b, safeText(b.textContent ?? ""));
  if (rest.length > 0) {
    box.append(
      " ",
      linkButton(t("and {0} more", rest.length), () => fill(box, links(list)), t("Show all")),
    );
  }
  return fieldRow(label, [box]);
}

function differs(a: readonly Address[], b: readonly Address[]): boolean {
  const set = (l: readonly Address[]) => l.map((x) => x.address.toLowerCase()).sort().join();
  return a.length > 0 && set(a) !== set(b);
}

function fieldRow(label: string, value: readonly (string | HTMLElement)[]): HTMLElement[] {
  return [el("dt", {}, label), el("dd", {}, value)];
}

/** Flags and keywords as words, beside the date: nothing moves when they change. */
function keywords(it: MessageItem): HTMLElement[] {
  const flags = it.flags.flatMap((f) => flagWords[f] ?? []);
  const words = it.keywords.filter((k) => !k.startsWith("$"));
  return [...flags.map((w) => el("span", { class: "label" }, w)), ...words.map(keywordLabel)];
}

/** A line on when a scheduled message will be sent, with buttons to change that. */
export function waiting(
  message: ParsedMessage,
  onChange: (id: number) => void,
): HTMLElement | null {
  if (message.sendAt === null) return null;
  const { id } = message.item;
  const at = message.sendAt;
  return el(
    "p",
    { class: "waiting" },
    t("It will be sent {0}. ", plannedDate(at)),
    button(t("Change the time"), () =>
      askSendTime(at, (sendAt) =>
        void attempt(async () => {
          const r = await call("SendReschedule", { id, sendAt });
          onChange(r.id);
          notice(t("Message will be sent {0}.", plannedDate(sendAt)));
        }))),
    " ",
    button(t("Call off"), () =>
      attempt(async () => {
        await call("SendCancel", { id });
        notice(t("It is a draft again, in Drafts."));
      }), { title: t("It isn't sent, and is a draft again") }),
  );
}

/** A line on what is missing from a message whose file is damaged. */
export function damage(message: ParsedMessage): HTMLElement | null {
  return message.lost === 0 ? null : el(
    "p",
    { class: "error", role: "alert" },
    t(
      "The server has lost the end of this message: {0} of {1}. Its administrator may have a backup.",
      sizeText(message.lost),
      sizeText(message.item.size),
    ),
  );
}

/** A line on the results of SPF, DKIM and DMARC for the sender. */
export function authentication(message: ParsedMessage): HTMLElement | null {
  const a = message.authentication;
  if (a === null || has(message.item, "draft")) return null;
  const detail = t(
    "SPF: {0}. DKIM: {1}{2}. DMARC: {3}. {4}",
    a.spf || "none",
    a.dkim || "none",
    a.dkimDomains.length > 0 ? ` (${a.dkimDomains.join(", ")})` : "",
    a.dmarc || "none",
    a.tls === "" ? t("Came without TLS.") : t("Came with {0}.", a.tls),
  );
  return a.fromVerified
    ? explain(el("p", { class: "verified" }, t("Sender's domain is verified")), detail)
    : explain(
      el("p", { class: "unverified" }, t("Sender is not verified: anyone may have written this")),
      detail,
    );
}
