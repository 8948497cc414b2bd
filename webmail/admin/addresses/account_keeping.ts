/** How long an account's messages are kept: its rules, and a preview of what they would delete. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { type Child, el } from "../../lib/dom.ts";
import { countText, sizeText } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../../lib/page.ts";
import type { AccountDetail } from "../api/accounts.ts";
import { adminCalls } from "../api/mod.ts";

type Rules = AccountDetail["retention"];
type Keeping = Pick<AccountDetail, "retention" | "legalHold">;

const daysText = (days: number) => days === 0 ? "for ever" : countText(days, "day");

/** @param whole for the server's administrator, who may change it */
export function keepingPart(
  detail: AccountDetail,
  changed: () => Promise<void>,
  whole: boolean,
): HTMLElement {
  const own = detail.retention.map((r) => [r.mailbox, daysText(r.days), "of the account"]);
  const server = detail.serverRetention
    .filter((r) => !detail.retention.some((o) => o.mailbox === r.mailbox))
    .map((r) => [r.mailbox, daysText(r.days), "of mox.conf"]);
  return part(
    "Keeping mail",
    detail.legalHold
      ? el(
        "p",
        { class: "state-warning" },
        "Legal hold: nothing is removed by its age, whatever the rules are.",
      )
      : null,
    table(
      ["Mailbox", "Messages are kept", "Rule"],
      [...own, ...server],
      "No rule: messages stay until the user removes them.",
    ),
    tools(
      whole ? button("Change rules", () => change(detail, changed)) : null,
      own.length + server.length > 0
        ? button("What would go now", () =>
          attempt(async () => {
            const aged = await wouldGo(detail.name, detail);
            openDialog(`Old messages of ${detail.name}`, agedContent(detail, aged));
          }))
        : null,
    ),
  );
}

const written = (rules: Rules) => rules.map((r) => `${r.mailbox}: ${r.days}`).join("\n");

/** @throws Error naming the line that isn't a rule */
function rulesOf(value: string): Rules {
  return value.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line) => {
    const colon = line.lastIndexOf(":");
    const [mailbox, days] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    if (colon < 1 || !/^\d{1,5}$/.test(days)) {
      throw new Error(`"${line}" is not a mailbox, a colon, and days.`);
    }
    return { mailbox, days: Number(days) };
  });
}

function change(detail: AccountDetail, changed: () => Promise<void>): void {
  formDialog(
    `Keeping mail of ${detail.name}`,
    [
      {
        name: "rules",
        label: "Rules, one on a line",
        type: "textarea",
        rows: 5,
        value: written(detail.retention),
        placeholder: "\\Trash: 30",
        explanation:
          "A mailbox, a colon, and the days after which its messages are removed for good, counted from when they came into " +
          "it; 0 for ever. \\Trash, \\Junk, \\Sent, \\Drafts and \\Archive stand for mailboxes with that use.",
      },
      {
        name: "legalHold",
        label: "Legal hold",
        type: "checkbox",
        value: detail.legalHold,
        explanation:
          "The server removes nothing by its age. What the user removes is gone all the same.",
      },
    ],
    "Look what would go",
    async (f) => {
      const keeping = { retention: rulesOf(f.rules), legalHold: f.legalHold !== "" };
      const aged = await wouldGo(detail.name, keeping);
      // After this dialog has closed.
      setTimeout(() => switchOn(detail.name, keeping, aged, changed), 0);
    },
  );
}

type Aged = Awaited<ReturnType<typeof wouldGo>>;

async function wouldGo(name: string, { retention, legalHold }: Keeping) {
  return (await makeCall(adminCalls, "AccountAged", { name, retention, legalHold })).mailboxes;
}

function agedContent(keeping: Keeping, aged: Aged): Child {
  if (keeping.legalHold) return el("p", {}, "Nothing: legal hold is on.");
  const messages = aged.reduce((sum, m) => sum + m.messages, 0);
  const size = aged.reduce((sum, m) => sum + m.size, 0);
  return [
    el(
      "p",
      { class: messages === 0 ? null : "state-warning" },
      messages === 0
        ? "Nothing is old enough to go now."
        : `${countText(messages, "message")} with ${sizeText(size)} would go, for good.`,
    ),
    table(
      ["Mailbox", { text: "Days", number: true }, { text: "Messages", number: true }, {
        text: "Size",
        number: true,
      }],
      aged.map((m) => [m.mailbox, String(m.days), String(m.messages), sizeText(m.size)]),
      "No mailbox has a rule.",
    ),
    lead("The server removes what is too old once a day."),
  ];
}

/** Shows what rules would delete, and activates them on confirmation. */
function switchOn(
  name: string,
  keeping: Keeping,
  aged: Aged,
  changed: () => Promise<void>,
): void {
  const removes = aged.some((m) => m.messages > 0);
  const run = () =>
    attempt(async () => {
      await makeCall(adminCalls, "AccountKeepingSet", { name, ...keeping });
      dialog.close();
      notice("The rules are in force.");
      await changed();
    });
  const yes = button("Switch on", run, { primary: !removes, danger: removes });
  const dialog = openDialog(
    `What would go of ${name}`,
    el(
      "div",
      {},
      agedContent(keeping, aged),
      el("div", { class: "buttons" }, button("Cancel", () => dialog.close()), yes),
    ),
  );
}
