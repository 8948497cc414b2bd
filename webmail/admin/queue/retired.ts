/** Messages that have left the queue, as long as they are kept. @module */
import { makeCall } from "../../api/client.ts";
import { linkButton } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { Section } from "../../lib/frame.ts";
import { longDate, sizeText } from "../../lib/format.ts";
import { facts, lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { RetiredItem } from "../api/queue.ts";
import { attemptsList, attemptText } from "./attempts_list.ts";
import { date } from "../dates.ts";

export function retiredSection(): Section {
  return { id: "retired", title: "Sent and failed", show };
}

const limit = 500;

async function show(): Promise<HTMLElement[]> {
  const { items, keeping } = await makeCall(adminCalls, "Retired", { account: "", limit });
  return [
    keeping.length > 0
      ? lead(`Messages that have left the queue, kept for a while for ${keeping.join(", ")}.`)
      : lead(
        "Messages that have left the queue are kept for accounts with ",
        el("code", {}, "KeepRetiredMessagePeriod"),
        " in domains.conf. None has it.",
      ),
    table(
      ["To", "From and subject", "Outcome", "Left", "Queued", {
        text: "Attempts",
        number: true,
      }, "Last result"],
      items.map((r) => [
        linkButton(r.to, () => details(r), "Show its attempts"),
        [
          el("div", {}, r.from || "(none)", el("span", { class: "muted" }, ` (${r.account})`)),
          el("div", { class: "muted" }, r.subject),
        ],
        outcome(r.outcome),
        date(r.left),
        date(r.queued),
        String(r.attempts),
        r.results.length === 0 ? "" : attemptText(r.results.at(-1)!),
      ]),
      "None is kept.",
    ),
    items.length === limit ? lead(`The last ${limit}.`) : null,
  ].filter((x) => x !== null);
}

function outcome(o: string): HTMLElement {
  const good = o === "delivered" || o === "relayed";
  return el("span", { class: good ? "good" : "bad" }, o);
}

function details(item: RetiredItem): void {
  openDialog(
    item.subject || "Message",
    el(
      "div",
      { class: "stacked" },
      facts([
        ["To", item.to],
        ["From", `${item.from || "(none)"}, account ${item.account}`],
        ["Size", sizeText(item.size)],
        ["Queued", longDate(item.queued)],
        ["Left", longDate(item.left)],
        ["Kept until", longDate(item.keepUntil)],
        ["Outcome", outcome(item.outcome)],
      ]),
      el("h3", {}, "Attempts"),
      attemptsList(item.results),
    ),
    { wide: true },
  );
}
