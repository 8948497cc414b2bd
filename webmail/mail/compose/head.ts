/**
 * The lines over the text of a message that is written: sender, recipients and subject. Those that are
 * seldom used come when asked for.
 *
 * @module
 */
import type { Composition, Settings, StartEvent } from "../../api/mod.ts";
import { linkButton } from "../../lib/button.ts";
import { el, newId } from "../../lib/dom.ts";
import { fullAddress } from "../names.ts";
import { recipients } from "./recipients.ts";
import { t } from "../../lib/text.ts";

export interface ComposeHeadOptions {
  start: StartEvent;
  settings: Settings;
  /** Initial contents of the lines. */
  composition: Composition;
  changed: () => void;
  /** Another address to send from was chosen. */
  onFrom: (before: string, now: string) => void;
}

export interface ComposeHead {
  lines: HTMLElement[];
  subject: HTMLInputElement;
  /** What is in the lines now. */
  /** Takes over the contents of another window. */
  write(composition: Composition): void;
  values(): Pick<Composition, "from" | "to" | "cc" | "bcc" | "replyTo" | "subject">;
  /** Puts the cursor into the line for recipients. */
  focus(): void;
}

/** Creates the lines. */
export function composeHead(options: ComposeHeadOptions): ComposeHead {
  const { start, composition: c, changed } = options;
  const lineOptions = { changed, security: () => options.settings.showRecipientSecurity };
  const to = recipients(t("To"), c.to, lineOptions);
  const cc = recipients(t("Cc"), c.cc, lineOptions);
  const bcc = recipients(t("Bcc"), c.bcc, lineOptions);
  const identities = start.addresses.length > 0
    ? start.addresses
    : [{ name: "", address: start.loginAddress }];
  let address = c.from.address;
  const from = el(
    "select",
    {
      "aria-label": t("From"),
      onchange: () => {
        const before = address;
        address = (identities[Number(from.value)] ?? identities[0]).address;
        options.onFrom(before, address);
        changed();
      },
    },
    identities.map((a, i) =>
      el("option", {
        value: i,
        selected: a.address.toLowerCase() === c.from.address.toLowerCase(),
      }, fullAddress(a))
    ),
  );
  const replyTo = el("input", {
    id: newId("replyto"),
    type: "text",
    value: c.replyTo,
    oninput: changed,
  });
  const subject = el("input", {
    id: newId("subject"),
    type: "text",
    value: c.subject,
    dir: "auto",
    oninput: changed,
  });

  const line = (label: string, ...content: HTMLElement[]) =>
    el("div", { class: "compose-line" }, el("span", { class: "compose-label" }, label), content);
  const inputLine = (label: string, input: HTMLInputElement) =>
    el(
      "div",
      { class: "compose-line" },
      el("label", { class: "compose-label", for: input.id }, label),
      input,
    );
  const adders = el("span", { class: "compose-adders" });
  /** Hides an empty line, and offers it. */
  const seldom = (name: string, row: HTMLElement, used: boolean, focus: () => void) => {
    row.hidden = !used;
    if (used) return row;
    const b: HTMLButtonElement = linkButton(name, () => {
      row.hidden = false;
      b.remove();
      focus();
    }, t("Add {0}", name));
    adders.append(b);
    return row;
  };

  return {
    lines: [
      line(t("From"), from, adders),
      line(t("To"), to.root),
      seldom(t("Cc"), line(t("Cc"), cc.root), c.cc.length > 0, () => cc.focus()),
      seldom(t("Bcc"), line(t("Bcc"), bcc.root), c.bcc.length > 0, () => bcc.focus()),
      seldom(
        t("Reply to"),
        inputLine(t("Reply to"), replyTo),
        c.replyTo !== "",
        () => replyTo.focus(),
      ),
      inputLine(t("Subject"), subject),
    ],
    subject,
    write: (now) => {
      to.write(now.to);
      cc.write(now.cc);
      bcc.write(now.bcc);
      for (const [line, used] of [[cc, now.cc], [bcc, now.bcc]] as const) {
        if (used.length > 0) line.root.closest<HTMLElement>(".compose-line")!.hidden = false;
      }
      if (replyTo.value.trim() !== now.replyTo) replyTo.value = now.replyTo;
      if (subject.value !== now.subject) subject.value = now.subject;
    },
    values: () => {
      const { name, address } = identities[Number(from.value)] ?? identities[0];
      return {
        from: { name, address },
        to: to.values(),
        cc: cc.values(),
        bcc: bcc.values(),
        replyTo: replyTo.value.trim(),
        subject: subject.value,
      };
    },
    focus: () => to.focus(),
  };
}
