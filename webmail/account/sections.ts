/** The sections of the account page. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog, openDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el } from "../lib/dom.ts";
import { longDate, numberText, shortDate, sizeText } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part, secretDialog, table } from "../lib/page.ts";
import { delegationSection } from "./delegation.ts";
import { encryptionSection } from "./encryption.ts";
import { junkDaysPart } from "./junk_days.ts";
import { onwardSection } from "./onward.ts";
import { securitySection } from "./security.ts";
import { transferSection } from "./transfer.ts";
import { webhookSection } from "./webhooks.ts";
import { confirmation, confirmFields } from "../lib/confirm.ts";
import { accountCalls, type Destination, type Overview } from "./api.ts";
import { rulesDialog } from "./rules.ts";
import { t } from "../lib/text.ts";

const overview = () => makeCall(accountCalls, "Overview", {});

/** All sections; `changed` redraws the current one. */
export function sections(changed: () => Promise<void>): Section[] {
  return [
    { id: "account", title: t("Account"), show: async () => account(await overview(), changed) },
    {
      id: "addresses",
      title: t("Addresses"),
      show: async () => addresses(await overview(), changed),
    },
    onwardSection(changed),
    delegationSection(changed),
    encryptionSection(changed),
    { id: "junk", title: t("Junk"), show: () => junkView(changed) },
    securitySection(changed),
    {
      id: "suppressions",
      title: t("Suppressions"),
      show: async () => suppressions(await overview(), changed),
    },
    transferSection(),
    webhookSection(changed),
    { id: "programs", title: t("Mail programs"), show: async () => programs(await overview()) },
  ];
}

function account(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  const usage = o.quota === null ? sizeText(o.usage) : el(
    "span",
    {},
    el("meter", { min: 0, max: o.quota, value: o.usage, "aria-label": t("Used") }),
    " ",
    t("{0} of {1}", sizeText(o.usage), sizeText(o.quota)),
  );
  return [
    part(
      t("Who you are"),
      facts([
        [t("Account"), o.account],
        [t("Full name"), o.fullName || "–"],
        [t("Addresses"), o.destinations.map((d) => d.address).join(", ")],
      ]),
      button(t("Change name"), () =>
        formDialog(
          t("Full name"),
          [{ name: "fullName", label: t("Full name"), value: o.fullName, autocomplete: "name" }],
          t("Save"),
          async ({ fullName }) => {
            await makeCall(accountCalls, "FullNameSet", { fullName });
            await changed();
          },
        )),
    ),
    part(
      t("People you write to"),
      el(
        "p",
        { class: "muted" },
        o.keepWrittenTo
          ? t(
            "Those who are in none of your address books are put into one of their own, which phones see too.",
          )
          : t(
            "Those who are in none of your address books can be put into one of their own, which phones see too.",
          ),
      ),
      button(
        o.keepWrittenTo ? t("Don't keep them any more") : t("Keep them in an address book"),
        () =>
          attempt(async () => {
            await makeCall(accountCalls, "WrittenToSet", { on: !o.keepWrittenTo });
            await changed();
            notice(o.keepWrittenTo ? t("They are kept no more.") : t("They are kept from now on."));
          }),
      ),
    ),
    part(
      t("Password"),
      el(
        "p",
        { class: "muted" },
        o.noCustomPassword
          ? t("Passwords of this account are made by the server.")
          : t("A new password ends all other logins in a browser."),
      ),
      el(
        "div",
        { class: "tools" },
        o.noCustomPassword
          ? null
          : button(t("Change password"), () => passwordDialog(o.secondFactor)),
        button(t("Have one made"), () => madePasswordDialog(o.secondFactor)),
      ),
    ),
    part(
      t("Room and limits"),
      facts([
        [t("Used"), usage],
        [t("Messages a day"), numberText(o.maxOutgoingPerDay)],
        [t("New recipients a day"), numberText(o.maxFirstTimeRecipientsPerDay)],
        ...o.retention.length === 0 ? [] : [[
          t("Messages are removed"),
          o.retention.map((r) => t("from {0} after {1} days", r.mailbox, numberText(r.days))).join(
            ", ",
          ),
        ] as [string, string]],
        ...o.quota !== null && o.quotaWarnings !== null
          ? [[
            t("Message to you at 80, 95 and 100%"),
            o.quotaWarnings ? t("yes") : t("no"),
          ] as [string, string]]
          : [],
      ]),
      o.quota === null || o.quotaWarnings === null ? null : button(
        o.quotaWarnings ? t("Don't warn me") : t("Warn me"),
        () =>
          attempt(async () => {
            await makeCall(accountCalls, "QuotaWarningsSet", { on: !o.quotaWarnings });
            await changed();
          }),
      ),
    ),
  ];
}

function passwordDialog(secondFactor: boolean): void {
  formDialog(
    t("Change password"),
    [
      ...confirmFields(secondFactor),
      {
        name: "password",
        label: t("New password"),
        type: "password",
        required: true,
        autocomplete: "new-password",
      },
      {
        name: "again",
        label: t("New password again"),
        type: "password",
        required: true,
        autocomplete: "new-password",
      },
    ],
    t("Change"),
    async ({ password, again, ...given }) => {
      if (password !== again) throw new Error(t("The new passwords differ."));
      await makeCall(accountCalls, "PasswordSet", { ...confirmation(given), password });
      notice(t("Password changed."));
    },
  );
}

function madePasswordDialog(secondFactor: boolean): void {
  formDialog(
    t("Make a password"),
    confirmFields(secondFactor),
    t("Make"),
    async (given) => {
      const { password } = await makeCall(accountCalls, "PasswordSet", {
        ...confirmation(given),
        password: "",
      });
      if (password !== null) {
        secretDialog(
          t("New password"),
          t("It is shown this once. Put it into your mail programs."),
          password,
        );
      }
    },
  );
}

function addresses(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  const save = async (destination: Destination) => {
    await makeCall(accountCalls, "DestinationSet", { destination });
    notice(t("Saved."));
    await changed();
  };
  return [
    table(
      [t("Address"), t("Mailbox"), t("Full name"), t("Rules"), ""],
      o.destinations.map((d) => [
        d.address.startsWith("@") ? t("{0} (all others)", d.address) : d.address,
        d.Mailbox || t("Inbox"),
        d.FullName || "–",
        String(d.Rulesets.length),
        [
          button(t("Edit"), () =>
            formDialog(
              d.address,
              [
                {
                  name: "Mailbox",
                  label: t("Mailbox"),
                  value: d.Mailbox,
                  options: ["", ...o.mailboxes],
                  explanation: t("Where messages go that no rule takes. Empty: Inbox."),
                },
                {
                  name: "FullName",
                  label: t("Full name"),
                  value: d.FullName,
                  explanation: t("For messages from this address, in place of the account's."),
                },
              ],
              t("Save"),
              ({ Mailbox, FullName }) => save({ ...d, Mailbox, FullName }),
            )),
          button(t("Rules"), () => rulesDialog(d, o.mailboxes, save), {
            title: t("Sort incoming messages into mailboxes"),
          }),
        ],
      ]),
      t("This account has no addresses."),
    ),
  ];
}

async function junkView(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const [o, days] = await Promise.all([overview(), junkDaysPart()]);
  return [days, ...junk(o, changed)];
}

function junk(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  const j = o.junk;
  return [
    ...o.trained === null ? [] : [learned(o.trained)],
    part(
      t("Filter"),
      facts([
        [t("Filter"), j.threshold === null ? t("off") : t("refuses above {0}", j.threshold)],
        [t("Automatic flags"), j.automaticFlags ? t("by mailbox") : t("off")],
        [t("Junk mailboxes"), j.junkMailboxRegexp || "–"],
        [t("Neutral mailboxes"), j.neutralMailboxRegexp || "–"],
        [t("Mailboxes without junk"), j.notJunkMailboxRegexp || t("all others")],
        [t("Refused messages"), j.rejectsMailbox || t("not kept")],
      ]),
      button(t("Change"), () =>
        formDialog(
          t("Junk filter"),
          [
            {
              name: "threshold",
              label: t("Threshold"),
              type: "number",
              value: j.threshold === null ? "" : String(j.threshold),
              explanation: t(
                "From 0 to 1: messages that are junk with a higher probability are refused. Empty: " +
                  "no filter.",
              ),
            },
            {
              name: "automaticFlags",
              label: t("Set junk flags by the mailbox that a message is moved to"),
              type: "checkbox",
              value: j.automaticFlags,
            },
            {
              name: "junkMailboxRegexp",
              label: t("Junk mailboxes"),
              value: j.junkMailboxRegexp,
              explanation: t("Regular expression for names in lower case"),
            },
            {
              name: "neutralMailboxRegexp",
              label: t("Neutral mailboxes"),
              value: j.neutralMailboxRegexp,
            },
            {
              name: "notJunkMailboxRegexp",
              label: t("Mailboxes without junk"),
              value: j.notJunkMailboxRegexp,
              explanation: t("Empty: all that are neither of the above"),
            },
            {
              name: "rejectsMailbox",
              label: t("Mailbox for refused messages"),
              value: j.rejectsMailbox,
              explanation: t(
                "So that you can find what was refused wrongly. Empty: they are not kept.",
              ),
            },
            {
              name: "keepRejects",
              label: t("Keep refused messages for good"),
              type: "checkbox",
              value: j.keepRejects,
            },
          ],
          t("Save"),
          async (f) => {
            const threshold = f.threshold.trim() === "" ? null : Number(f.threshold);
            await makeCall(accountCalls, "JunkSet", {
              junk: {
                threshold,
                automaticFlags: f.automaticFlags !== "",
                junkMailboxRegexp: f.junkMailboxRegexp,
                neutralMailboxRegexp: f.neutralMailboxRegexp,
                notJunkMailboxRegexp: f.notJunkMailboxRegexp,
                rejectsMailbox: f.rejectsMailbox,
                keepRejects: f.keepRejects !== "",
              },
            });
            await changed();
          },
        )),
    ),
  ];
}

/** Messages of each kind that a junk filter needs to be useful. */
const usefulFrom = 50;

function learned({ hams, spams, waiting }: NonNullable<Overview["trained"]>): HTMLElement {
  return part(
    t("What it has learned"),
    facts([
      [t("From wanted messages"), numberText(hams)],
      [t("From junk"), numberText(spams)],
      ...waiting > 0 ? [[t("Still to be learned from"), numberText(waiting)] as const] : [],
    ]),
    el(
      "p",
      { class: "muted" },
      Math.min(hams, spams) < usefulFrom
        ? t(
          "It becomes reliable with some hundred messages of both kinds: mark junk as junk, and the rest as not junk.",
        )
        : t(
          "It learns from each message that is marked as junk or as not junk, also by being moved.",
        ),
    ),
  );
}

function suppressions(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  return [
    el(
      "p",
      { class: "muted" },
      t("Nothing is sent to these addresses: messages to them came back before, or you put them here."),
    ),
    button(t("Add address"), () =>
      formDialog(
        t("Suppress an address"),
        [
          { name: "address", label: t("Address"), type: "email", required: true },
          { name: "reason", label: t("Reason") },
        ],
        t("Add"),
        async ({ address, reason }) => {
          await makeCall(accountCalls, "SuppressionAdd", { address, reason });
          await changed();
        },
      )),
    table(
      [t("Address"), t("Since"), t("Reason"), ""],
      o.suppressions.map((s) => [
        s.address,
        el("span", { title: longDate(s.created) }, shortDate(s.created)),
        `${s.reason}${s.manual ? t(" (by hand)") : ""}`,
        button(t("Remove"), () =>
          attempt(async () => {
            const yes = await confirmDialog(
              t("Remove"),
              t("Send to {0} again?", s.address),
              t("Remove"),
            );
            if (!yes) return;
            await makeCall(accountCalls, "SuppressionRemove", { address: s.address });
            await changed();
          })),
      ]),
      t("No address is suppressed."),
    ),
  ];
}

function programs(o: Overview): HTMLElement[] {
  return [
    el(
      "p",
      { class: "muted" },
      t("Most programs find these by themselves from your address. Log in with your address and password."),
    ),
    table(
      [t("Protocol"), t("Host"), t("Port"), t("Security")],
      o.clients.map((c) => [c.protocol, c.host, String(c.port), c.security]),
      t("This server offers nothing to mail programs."),
    ),
    button(t("Help"), () =>
      openDialog(
        t("Mail programs"),
        el(
          "p",
          {},
          t(
            "TLS means encrypted from the first byte; STARTTLS that encryption is begun after connecting. " +
              "Prefer TLS where both are listed.",
          ),
        ),
      )),
  ];
}
