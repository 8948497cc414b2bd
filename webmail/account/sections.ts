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

const overview = () => makeCall(accountCalls, "Overview", {});

/** All of them; `changed` shows the current one anew. */
export function sections(changed: () => Promise<void>): Section[] {
  return [
    { id: "account", title: "Account", show: async () => account(await overview(), changed) },
    { id: "addresses", title: "Addresses", show: async () => addresses(await overview(), changed) },
    onwardSection(changed),
    delegationSection(changed),
    encryptionSection(changed),
    { id: "junk", title: "Junk", show: () => junkView(changed) },
    securitySection(changed),
    {
      id: "suppressions",
      title: "Suppressions",
      show: async () => suppressions(await overview(), changed),
    },
    transferSection(),
    webhookSection(changed),
    { id: "programs", title: "Mail programs", show: async () => programs(await overview()) },
  ];
}

function account(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  const usage = o.quota === null ? sizeText(o.usage) : el(
    "span",
    {},
    el("meter", { min: 0, max: o.quota, value: o.usage, "aria-label": "Used" }),
    ` ${sizeText(o.usage)} of ${sizeText(o.quota)}`,
  );
  return [
    part(
      "Who you are",
      facts([
        ["Account", o.account],
        ["Full name", o.fullName || "–"],
        ["Addresses", o.destinations.map((d) => d.address).join(", ")],
      ]),
      button("Change name", () =>
        formDialog(
          "Full name",
          [{ name: "fullName", label: "Full name", value: o.fullName, autocomplete: "name" }],
          "Save",
          async ({ fullName }) => {
            await makeCall(accountCalls, "FullNameSet", { fullName });
            await changed();
          },
        )),
    ),
    part(
      "People you write to",
      el(
        "p",
        { class: "muted" },
        o.keepWrittenTo
          ? "Those who are in none of your address books are put into one of their own, which phones see too."
          : "Those who are in none of your address books can be put into one of their own, which phones see too.",
      ),
      button(
        o.keepWrittenTo ? "Don't keep them any more" : "Keep them in an address book",
        () =>
          attempt(async () => {
            await makeCall(accountCalls, "WrittenToSet", { on: !o.keepWrittenTo });
            await changed();
            notice(o.keepWrittenTo ? "They are kept no more." : "They are kept from now on.");
          }),
      ),
    ),
    part(
      "Password",
      el(
        "p",
        { class: "muted" },
        o.noCustomPassword
          ? "Passwords of this account are made by the server."
          : "A new password ends all other logins in a browser.",
      ),
      el(
        "div",
        { class: "tools" },
        o.noCustomPassword ? null : button("Change password", () => passwordDialog(o.secondFactor)),
        button("Have one made", () => madePasswordDialog(o.secondFactor)),
      ),
    ),
    part(
      "Room and limits",
      facts([
        ["Used", usage],
        ["Messages a day", numberText(o.maxOutgoingPerDay)],
        ["New recipients a day", numberText(o.maxFirstTimeRecipientsPerDay)],
        ...o.retention.length === 0 ? [] : [[
          "Messages are removed",
          o.retention.map((r) => `from ${r.mailbox} after ${numberText(r.days)} days`).join(", "),
        ] as [string, string]],
        ...o.quota !== null && o.quotaWarnings !== null
          ? [[
            "Message to you at 80, 95 and 100%",
            o.quotaWarnings ? "yes" : "no",
          ] as [string, string]]
          : [],
      ]),
      o.quota === null || o.quotaWarnings === null ? null : button(
        o.quotaWarnings ? "Don't warn me" : "Warn me",
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
    "Change password",
    [
      ...confirmFields(secondFactor),
      {
        name: "password",
        label: "New password",
        type: "password",
        required: true,
        autocomplete: "new-password",
      },
      {
        name: "again",
        label: "New password again",
        type: "password",
        required: true,
        autocomplete: "new-password",
      },
    ],
    "Change",
    async ({ password, again, ...given }) => {
      if (password !== again) throw new Error("The new passwords differ.");
      await makeCall(accountCalls, "PasswordSet", { ...confirmation(given), password });
      notice("Password changed.");
    },
  );
}

function madePasswordDialog(secondFactor: boolean): void {
  formDialog(
    "Make a password",
    confirmFields(secondFactor),
    "Make",
    async (given) => {
      const { password } = await makeCall(accountCalls, "PasswordSet", {
        ...confirmation(given),
        password: "",
      });
      if (password !== null) {
        secretDialog(
          "New password",
          "It is shown this once. Put it into your mail programs.",
          password,
        );
      }
    },
  );
}

function addresses(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  const save = async (destination: Destination) => {
    await makeCall(accountCalls, "DestinationSet", { destination });
    notice("Saved.");
    await changed();
  };
  return [
    table(
      ["Address", "Mailbox", "Full name", "Rules", ""],
      o.destinations.map((d) => [
        d.address.startsWith("@") ? `${d.address} (all others)` : d.address,
        d.Mailbox || "Inbox",
        d.FullName || "–",
        String(d.Rulesets.length),
        [
          button("Edit", () =>
            formDialog(
              d.address,
              [
                {
                  name: "Mailbox",
                  label: "Mailbox",
                  value: d.Mailbox,
                  options: ["", ...o.mailboxes],
                  explanation: "Where messages go that no rule takes. Empty: Inbox.",
                },
                {
                  name: "FullName",
                  label: "Full name",
                  value: d.FullName,
                  explanation: "For messages from this address, in place of the account's.",
                },
              ],
              "Save",
              ({ Mailbox, FullName }) => save({ ...d, Mailbox, FullName }),
            )),
          button("Rules", () => rulesDialog(d, o.mailboxes, save), {
            title: "Sort incoming messages into mailboxes",
          }),
        ],
      ]),
      "This account has no addresses.",
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
      "Filter",
      facts([
        ["Filter", j.threshold === null ? "off" : `refuses above ${j.threshold}`],
        ["Automatic flags", j.automaticFlags ? "by mailbox" : "off"],
        ["Junk mailboxes", j.junkMailboxRegexp || "–"],
        ["Neutral mailboxes", j.neutralMailboxRegexp || "–"],
        ["Mailboxes without junk", j.notJunkMailboxRegexp || "all others"],
        ["Refused messages", j.rejectsMailbox || "not kept"],
      ]),
      button("Change", () =>
        formDialog(
          "Junk filter",
          [
            {
              name: "threshold",
              label: "Threshold",
              type: "number",
              value: j.threshold === null ? "" : String(j.threshold),
              explanation:
                "From 0 to 1: messages that are junk with a higher probability are refused. Empty: " +
                "no filter.",
            },
            {
              name: "automaticFlags",
              label: "Set junk flags by the mailbox that a message is moved to",
              type: "checkbox",
              value: j.automaticFlags,
            },
            {
              name: "junkMailboxRegexp",
              label: "Junk mailboxes",
              value: j.junkMailboxRegexp,
              explanation: "Regular expression for names in lower case",
            },
            {
              name: "neutralMailboxRegexp",
              label: "Neutral mailboxes",
              value: j.neutralMailboxRegexp,
            },
            {
              name: "notJunkMailboxRegexp",
              label: "Mailboxes without junk",
              value: j.notJunkMailboxRegexp,
              explanation: "Empty: all that are neither of the above",
            },
            {
              name: "rejectsMailbox",
              label: "Mailbox for refused messages",
              value: j.rejectsMailbox,
              explanation:
                "So that you can find what was refused wrongly. Empty: they are not kept.",
            },
            {
              name: "keepRejects",
              label: "Keep refused messages for good",
              type: "checkbox",
              value: j.keepRejects,
            },
          ],
          "Save",
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

/** Messages of each kind from which on a junk filter is of use. */
const usefulFrom = 50;

function learned({ hams, spams, waiting }: NonNullable<Overview["trained"]>): HTMLElement {
  return part(
    "What it has learned",
    facts([
      ["From wanted messages", numberText(hams)],
      ["From junk", numberText(spams)],
      ...waiting > 0 ? [["Still to be learned from", numberText(waiting)] as const] : [],
    ]),
    el(
      "p",
      { class: "muted" },
      Math.min(hams, spams) < usefulFrom
        ? "It becomes reliable with some hundred messages of both kinds: mark junk as junk, and the rest as not junk."
        : "It learns from each message that is marked as junk or as not junk, also by being moved.",
    ),
  );
}

function suppressions(o: Overview, changed: () => Promise<void>): HTMLElement[] {
  return [
    el(
      "p",
      { class: "muted" },
      "Nothing is sent to these addresses: messages to them came back before, or you put them here.",
    ),
    button("Add address", () =>
      formDialog(
        "Suppress an address",
        [
          { name: "address", label: "Address", type: "email", required: true },
          { name: "reason", label: "Reason" },
        ],
        "Add",
        async ({ address, reason }) => {
          await makeCall(accountCalls, "SuppressionAdd", { address, reason });
          await changed();
        },
      )),
    table(
      ["Address", "Since", "Reason", ""],
      o.suppressions.map((s) => [
        s.address,
        el("span", { title: longDate(s.created) }, shortDate(s.created)),
        `${s.reason}${s.manual ? " (by hand)" : ""}`,
        button("Remove", () =>
          attempt(async () => {
            const yes = await confirmDialog("Remove", `Send to ${s.address} again?`, "Remove");
            if (!yes) return;
            await makeCall(accountCalls, "SuppressionRemove", { address: s.address });
            await changed();
          })),
      ]),
      "No address is suppressed.",
    ),
  ];
}

function programs(o: Overview): HTMLElement[] {
  return [
    el(
      "p",
      { class: "muted" },
      "Most programs find these by themselves from your address. Log in with your address and password.",
    ),
    table(
      ["Protocol", "Host", "Port", "Security"],
      o.clients.map((c) => [c.protocol, c.host, String(c.port), c.security]),
      "This server offers nothing to mail programs.",
    ),
    button("Help", () =>
      openDialog(
        "Mail programs",
        el(
          "p",
          {},
          "TLS means encrypted from the first byte; STARTTLS that encryption is begun after connecting. " +
            "Prefer TLS where both are listed.",
        ),
      )),
  ];
}
