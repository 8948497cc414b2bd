/** One account: addresses, limits, ways to log in, and disk usage. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, promptDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { View } from "../../lib/frame.ts";
import { countText, numberText, programName, sizeText } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { facts, formDialog, part, secretDialog, table, tools } from "../../lib/page.ts";
import type { AccountDetail } from "../api/accounts.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";
import { quota } from "../server/storage.ts";
import { keepingPart } from "./account_keeping.ts";

type Changed = () => Promise<void>;

/** @param whole for the server's administrator, rather than an administrator of some domains */
export async function accountView(name: string, changed: Changed, whole: boolean): Promise<View> {
  const a = await makeCall(adminCalls, "Account", { name });
  return {
    heading: a.name,
    actions: tools(
      button("Settings", () => settings(a, changed)),
      login(a, changed),
      button("Remove", () => remove(a), { danger: true }),
    ),
    content: [
      a.loginDisabled === "" ? null : el(
        "p",
        { class: "state-warning" },
        `Logins are disabled, and users are told: ${a.loginDisabled}`,
      ),
      part(
        "Use and limits",
        facts([
          ["Full name", a.fullName || "–"],
          ["Mail", [
            `${countText(a.messages, "message")} in ${
              countText(a.mailboxes, "mailbox", "mailboxes")
            }`,
          ]],
          ["Used", [sizeText(a.usage ?? 0), " ", quota(a.usage ?? 0, a.effectiveQuota)]],
          [
            "Sent in 24 hours",
            `${numberText(a.sentToday)} of ${numberText(a.maxOutgoing)} recipients elsewhere`,
          ],
          [
            "Most in an hour",
            a.maxHourly === 0
              ? el("span", { class: "muted" }, "no limit")
              : numberText(a.maxHourly),
          ],
          ["New recipients a day", numberText(a.maxFirstTime)],
          ["Passwords", a.noCustomPassword ? "made by the server" : "chosen by the user"],
          [
            "First-time senders",
            a.noFirstTimeSenderDelay ? "are answered at once" : "wait some seconds",
          ],
        ]),
      ),
      keepingPart(a, changed, whole),
      addresses(a, changed),
      logins(a, changed),
    ],
  };
}

function login(detail: AccountDetail, changed: Changed): HTMLElement {
  const set = async (text: string) => {
    await makeCall(adminCalls, "AccountDisable", { name: detail.name, text });
    await changed();
  };
  if (detail.loginDisabled !== "") return button("Enable login", () => attempt(() => set("")));
  return button("Disable login", () =>
    attempt(async () => {
      const text = await promptDialog(
        "Disable login",
        "Told at attempts to log in; mail still arrives",
        "This account is disabled.",
        "Disable",
      );
      if (text) await set(text);
    }));
}

function remove(detail: AccountDetail): void {
  attempt(async () => {
    const typed = await promptDialog(
      `Remove ${detail.name}`,
      `All its mail (${
        countText(detail.messages, "message")
      }) is deleted for good. Type the account's name`,
      "",
      "Remove",
    );
    if (typed === undefined) return;
    if (typed !== detail.name) {
      throw new Error("That is not the account's name: nothing was removed.");
    }
    await makeCall(adminCalls, "AccountRemove", { name: detail.name });
    notice(`${detail.name} is removed.`);
    location.hash = "#accounts";
  });
}

const mb = 1024 * 1024;

function settings(detail: AccountDetail, changed: Changed): void {
  const serverQuota = detail.defaultQuota === null ? "no limit" : sizeText(detail.defaultQuota);
  formDialog(
    `Settings of ${detail.name}`,
    [
      { name: "fullName", label: "Full name", value: detail.fullName },
      {
        name: "quota",
        label: "Quota in MB",
        type: "number",
        min: -1,
        value: detail.quota === null ? "-1" : detail.quota === 0 ? "" : String(detail.quota / mb),
        explanation: `Empty for the server's default (${serverQuota}), -1 for no limit.`,
      },
      {
        name: "maxOutgoing",
        label: "Recipients elsewhere in 24 hours",
        type: "number",
        min: 0,
        required: true,
        value: String(detail.maxOutgoing),
        explanation: "Limits what a stolen password can do.",
      },
      {
        name: "maxHourly",
        label: "Of them, in one hour",
        type: "number",
        min: 0,
        required: true,
        value: String(detail.maxHourly),
        explanation: "0 for no such limit. Stops early who sends quickly.",
      },
      {
        name: "maxFirstTime",
        label: "Of them, recipients that it never wrote to before",
        type: "number",
        min: 0,
        required: true,
        value: String(detail.maxFirstTime),
      },
      {
        name: "noCustomPassword",
        label: "Passwords are made by the server",
        type: "checkbox",
        value: detail.noCustomPassword,
        explanation: "So that no weak or shared ones are used.",
      },
      {
        name: "noFirstTimeSenderDelay",
        label: "First-time senders don't wait",
        type: "checkbox",
        value: detail.noFirstTimeSenderDelay,
        explanation: "For accounts that programs read.",
      },
    ],
    "Save",
    async (f) => {
      const size = f.quota.trim() === "" ? 0 : Number(f.quota);
      await makeCall(adminCalls, "AccountSet", {
        name: detail.name,
        fullName: f.fullName.trim(),
        quota: size < 0 ? null : Math.round(size * mb),
        maxOutgoing: Number(f.maxOutgoing),
        maxHourly: Number(f.maxHourly),
        maxFirstTime: Number(f.maxFirstTime),
        noCustomPassword: f.noCustomPassword !== "",
        noFirstTimeSenderDelay: f.noFirstTimeSenderDelay !== "",
      });
      await changed();
    },
  );
}

function addresses(detail: AccountDetail, changed: Changed): HTMLElement {
  return part(
    "Addresses",
    table(
      ["Address", { text: "Actions", unseen: true }],
      detail.addresses.map((address) => [
        address.startsWith("@") ? `${address} (all that have no address of their own)` : address,
        button("Remove", () =>
          attempt(async () => {
            const yes = await confirmDialog(
              `Remove ${address}`,
              "Mail to it is refused from then on. What has arrived stays.",
              "Remove",
              { danger: true },
            );
            if (!yes) return;
            await makeCall(adminCalls, "AddressRemove", { address });
            await changed();
          }), { danger: true, attributes: { "aria-label": `Remove ${address}` } }),
      ]),
      "It has no address: nothing arrives, and nobody can log in.",
    ),
    tools(
      button("Add address", () =>
        formDialog(
          `Address of ${detail.name}`,
          [{
            name: "address",
            label: "Address",
            required: true,
            explanation: "@example.org takes all that have no address of their own.",
          }],
          "Add",
          async ({ address }) => {
            await makeCall(adminCalls, "AddressAdd", { address, account: detail.name });
            await changed();
          },
        )),
    ),
  );
}

function logins(detail: AccountDetail, changed: Changed): HTMLElement {
  const { name } = detail;
  const made = (password: string) =>
    secretDialog("New password", `Password of ${name}, shown this once:`, password);
  return part(
    "Logins",
    facts([
      ["Second factor", detail.secondFactor ? "is on" : "none"],
      ["Passkeys", numberText(detail.passkeys)],
      ["App passwords", numberText(detail.appPasswords)],
    ]),
    tools(
      button("New password", () =>
        attempt(async () => {
          const yes = await confirmDialog(
            `New password for ${name}`,
            "A password is made. The old one works no more, and all pages are logged out.",
            "Make",
          );
          if (!yes) return;
          made((await makeCall(adminCalls, "AccountPassword", { name })).password);
          await changed();
        })),
      button("Set password", () =>
        formDialog(
          `Password of ${name}`,
          [{
            name: "password",
            label: "Password",
            type: "password",
            required: true,
            autocomplete: "new-password",
            explanation: "The old one works no more, and all pages are logged out.",
          }],
          "Set",
          async ({ password }) => {
            await makeCall(adminCalls, "AccountPassword", { name, password });
            notice("Password set.");
            await changed();
          },
        )),
      detail.secondFactor
        ? button("Remove second factor", () =>
          attempt(async () => {
            const yes = await confirmDialog(
              `Second factor of ${name}`,
              "For a user who has lost it: the password alone lets in then.",
              "Remove",
              { danger: true },
            );
            if (!yes) return;
            await makeCall(adminCalls, "SecondFactorRemove", { name });
            await changed();
          }), { danger: true })
        : null,
      detail.sessions.length > 0
        ? button("Log out everywhere", () =>
          attempt(async () => {
            await makeCall(adminCalls, "AccountSessionsEnd", { name });
            await changed();
          }))
        : null,
    ),
    table(
      ["Page", "Last used", "Since", "From", "Program"],
      detail.sessions.map((s) => [
        s.service,
        date(s.lastUsed),
        date(s.created),
        s.remoteIp,
        el("span", { title: s.userAgent }, programName(s.userAgent)),
      ]),
      "Nobody is logged in to a page.",
    ),
  );
}
