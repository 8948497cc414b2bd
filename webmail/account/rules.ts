/** Editing the rules of an address, and trying them on a message. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { openDialog } from "../lib/dialog.ts";
import { el, fill } from "../lib/dom.ts";
import { attempt } from "../lib/notify.ts";
import { formDialog, table } from "../lib/page.ts";
import { accountCalls, type Destination, type Ruleset } from "./api.ts";

const emptyRule: Ruleset = {
  SMTPMailFromRegexp: "",
  MsgFromRegexp: "",
  VerifiedDomain: "",
  HeadersRegexp: [],
  IsForward: false,
  ListAllowDomain: "",
  AcceptRejectsToMailbox: "",
  Mailbox: "",
  Comment: "",
};

/** Shows the rules; `save` keeps them. */
export function rulesDialog(
  destination: Destination,
  mailboxes: readonly string[],
  save: (destination: Destination) => Promise<void>,
): void {
  let rules = [...destination.Rulesets];
  const list = el("div", {});
  const result = el("p", { role: "status" });
  const message = el("textarea", { rows: 6, "aria-label": "Message to try" });
  const now = (): Destination => ({ ...destination, Rulesets: rules });

  const draw = () =>
    fill(
      list,
      table(
        ["", "If", "Mailbox", ""],
        rules.map((r, i) => [
          String(i + 1),
          conditionText(r) || "never: it has no condition",
          r.Mailbox,
          [
            button("Edit", () => edit(r, (next) => rules = rules.map((x) => x === r ? next : x))),
            i > 0
              ? button("Up", () => {
                rules = [...rules.slice(0, i - 1), r, rules[i - 1], ...rules.slice(i + 1)];
                draw();
              })
              : null,
            button("Remove", () => {
              rules = rules.filter((x) => x !== r);
              draw();
            }),
          ],
        ]),
        "No rules: all messages go to the address's mailbox.",
      ),
    );

  const edit = (ruleset: Ruleset, keep: (next: Ruleset) => void) =>
    formDialog(
      "Rule",
      [
        {
          name: "MsgFromRegexp",
          label: "Sender",
          value: ruleset.MsgFromRegexp,
          explanation: "Regular expression for the address in From",
        },
        {
          name: "SMTPMailFromRegexp",
          label: "Envelope sender",
          value: ruleset.SMTPMailFromRegexp,
          explanation: "Regular expression for the address that bounces go to",
        },
        {
          name: "VerifiedDomain",
          label: "Verified domain",
          value: ruleset.VerifiedDomain,
          explanation: "The domain, or one above it, that SPF or DKIM vouches for",
        },
        {
          name: "headers",
          label: "Header fields",
          type: "textarea",
          value: ruleset.HeadersRegexp.map((h) => `${h.name}: ${h.value}`).join("\n"),
          explanation:
            "One in a line, name and value as regular expressions in lower case: list-id: ^<news",
        },
        {
          name: "Mailbox",
          label: "Mailbox",
          value: ruleset.Mailbox,
          options: ["", ...mailboxes],
          required: true,
        },
        {
          name: "ListAllowDomain",
          label: "Mailing list of domain",
          value: ruleset.ListAllowDomain,
          explanation: "Messages that this domain vouches for are taken without looking for junk",
        },
        {
          name: "AcceptRejectsToMailbox",
          label: "Mailbox for what would be refused",
          value: ruleset.AcceptRejectsToMailbox,
          explanation: "Empty: it is refused",
        },
        {
          name: "IsForward",
          label: "These are forwarded to you: don't blame the forwarder for them",
          type: "checkbox",
          value: ruleset.IsForward,
        },
        { name: "Comment", label: "Comment", value: ruleset.Comment },
      ],
      "Keep",
      (f) => {
        const headers = f.headers.split("\n").filter((l) => l.trim() !== "").map((l) => {
          const colon = l.indexOf(":");
          if (colon < 1) {
            throw new Error(`"${l}" is not a name and a value with a colon between them.`);
          }
          return { name: l.slice(0, colon).trim(), value: l.slice(colon + 1).trim() };
        });
        keep({
          MsgFromRegexp: f.MsgFromRegexp,
          SMTPMailFromRegexp: f.SMTPMailFromRegexp,
          VerifiedDomain: f.VerifiedDomain,
          HeadersRegexp: headers,
          Mailbox: f.Mailbox,
          ListAllowDomain: f.ListAllowDomain,
          AcceptRejectsToMailbox: f.AcceptRejectsToMailbox,
          IsForward: f.IsForward !== "",
          Comment: f.Comment,
        });
        draw();
        return Promise.resolve();
      },
    );

  draw();
  const dialog = openDialog(
    `Rules of ${destination.address}`,
    el(
      "div",
      { class: "rules" },
      el("p", { class: "muted" }, "The first rule that fits decides the mailbox."),
      list,
      button("Add rule", () => edit(emptyRule, (next) => rules = [...rules, next])),
      el(
        "details",
        {},
        el("summary", {}, "Try the rules"),
        el(
          "p",
          { class: "muted" },
          "Paste a message, or just its header. Its sender counts as verified.",
        ),
        message,
        button("Try", () =>
          attempt(async () => {
            const r = await makeCall(accountCalls, "RulesetTry", {
              destination: now(),
              message: message.value,
            });
            fill(
              result,
              r.index < 0
                ? `No rule fits: it goes to ${r.mailbox}.`
                : `Rule ${r.index + 1} fits: it goes to ${r.mailbox}.`,
            );
          })),
        result,
      ),
      el(
        "div",
        { class: "buttons" },
        button("Cancel", () => dialog.close()),
        button("Save", () =>
          attempt(async () => {
            await save(now());
            dialog.close();
          }), { primary: true }),
      ),
    ),
    { wide: true },
  );
}

function conditionText(ruleset: Ruleset): string {
  return [
    ruleset.MsgFromRegexp && `sender ${ruleset.MsgFromRegexp}`,
    ruleset.SMTPMailFromRegexp && `envelope sender ${ruleset.SMTPMailFromRegexp}`,
    ruleset.VerifiedDomain && `verified by ${ruleset.VerifiedDomain}`,
    ...ruleset.HeadersRegexp.map((h) => `${h.name}: ${h.value}`),
  ].filter((s) => s !== "").join(", and ") +
    (ruleset.Comment === "" ? "" : ` (${ruleset.Comment})`);
}
