/** Edits the rules of an address, and tries them on a message. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { openDialog } from "../lib/dialog.ts";
import { el, fill } from "../lib/dom.ts";
import { attempt } from "../lib/notify.ts";
import { formDialog, table } from "../lib/page.ts";
import { accountCalls, type Destination, type Ruleset } from "./api.ts";
import { t } from "../lib/text.ts";

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

/** Shows the rules; `save` stores them. */
export function rulesDialog(
  destination: Destination,
  mailboxes: readonly string[],
  save: (destination: Destination) => Promise<void>,
): void {
  let rules = [...destination.Rulesets];
  const list = el("div", {});
  const result = el("p", { role: "status" });
  const message = el("textarea", { rows: 6, "aria-label": t("Message to try") });
  const now = (): Destination => ({ ...destination, Rulesets: rules });

  const draw = () =>
    fill(
      list,
      table(
        ["", t("If"), t("Mailbox"), ""],
        rules.map((r, i) => [
          String(i + 1),
          conditionText(r) || t("never: it has no condition"),
          r.Mailbox,
          [
            button(
              t("Edit"),
              () => edit(r, (next) => rules = rules.map((x) => x === r ? next : x)),
            ),
            i > 0
              ? button(t("Up"), () => {
                rules = [...rules.slice(0, i - 1), r, rules[i - 1], ...rules.slice(i + 1)];
                draw();
              })
              : null,
            button(t("Remove"), () => {
              rules = rules.filter((x) => x !== r);
              draw();
            }),
          ],
        ]),
        t("No rules: all messages go to the address's mailbox."),
      ),
    );

  const edit = (ruleset: Ruleset, keep: (next: Ruleset) => void) =>
    formDialog(
      t("Rule"),
      [
        {
          name: "MsgFromRegexp",
          label: t("Sender"),
          value: ruleset.MsgFromRegexp,
          explanation: t("Regular expression for the address in From"),
        },
        {
          name: "SMTPMailFromRegexp",
          label: t("Envelope sender"),
          value: ruleset.SMTPMailFromRegexp,
          explanation: t("Regular expression for the address that bounces go to"),
        },
        {
          name: "VerifiedDomain",
          label: t("Verified domain"),
          value: ruleset.VerifiedDomain,
          explanation: t("The domain, or one above it, that SPF or DKIM vouches for"),
        },
        {
          name: "headers",
          label: t("Header fields"),
          type: "textarea",
          value: ruleset.HeadersRegexp.map((h) => `${h.name}: ${h.value}`).join("\n"),
          explanation: t(
            "One in a line, name and value as regular expressions in lower case: list-id: ^<news",
          ),
        },
        {
          name: "Mailbox",
          label: t("Mailbox"),
          value: ruleset.Mailbox,
          options: ["", ...mailboxes],
          required: true,
        },
        {
          name: "ListAllowDomain",
          label: t("Mailing list of domain"),
          value: ruleset.ListAllowDomain,
          explanation: t(
            "Messages that this domain vouches for are taken without looking for junk",
          ),
        },
        {
          name: "AcceptRejectsToMailbox",
          label: t("Mailbox for what would be refused"),
          value: ruleset.AcceptRejectsToMailbox,
          explanation: t("Empty: it is refused"),
        },
        {
          name: "IsForward",
          label: t("These are forwarded to you: don't blame the forwarder for them"),
          type: "checkbox",
          value: ruleset.IsForward,
        },
        { name: "Comment", label: t("Comment"), value: ruleset.Comment },
      ],
      t("Keep"),
      (f) => {
        const headers = f.headers.split("\n").filter((l) => l.trim() !== "").map((l) => {
          const colon = l.indexOf(":");
          if (colon < 1) {
            throw new Error(t("“{0}” is not a name and a value with a colon between them.", l));
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
    t("Rules of {0}", destination.address),
    el(
      "div",
      { class: "rules" },
      el("p", { class: "muted" }, t("The first rule that fits decides the mailbox.")),
      list,
      button(t("Add rule"), () => edit(emptyRule, (next) => rules = [...rules, next])),
      el(
        "details",
        {},
        el("summary", {}, t("Try the rules")),
        el(
          "p",
          { class: "muted" },
          t("Paste a message, or just its header. Its sender counts as verified."),
        ),
        message,
        button(t("Try"), () =>
          attempt(async () => {
            const r = await makeCall(accountCalls, "RulesetTry", {
              destination: now(),
              message: message.value,
            });
            fill(
              result,
              r.index < 0
                ? t("No rule fits: it goes to {0}.", r.mailbox)
                : t("Rule {0} fits: it goes to {1}.", r.index + 1, r.mailbox),
            );
          })),
        result,
      ),
      el(
        "div",
        { class: "buttons" },
        button(t("Cancel"), () => dialog.close()),
        button(t("Save"), () =>
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
    ruleset.MsgFromRegexp && t("sender {0}", ruleset.MsgFromRegexp),
    ruleset.SMTPMailFromRegexp && t("envelope sender {0}", ruleset.SMTPMailFromRegexp),
    ruleset.VerifiedDomain && t("verified by {0}", ruleset.VerifiedDomain),
    ...ruleset.HeadersRegexp.map((h) => `${h.name}: ${h.value}`),
  ].filter((s) => s !== "").join(t(", and ")) +
    (ruleset.Comment === "" ? "" : ` (${ruleset.Comment})`);
}
