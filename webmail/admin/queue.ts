/** The queue of outgoing messages. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import { el } from "../lib/dom.ts";
import { countText, longDate, shortDate, sizeText } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { type Section, table } from "../lib/page.ts";
import { adminCalls } from "./api.ts";

type Action = "hold" | "unhold" | "now" | "fail" | "drop";

/** The section on the queue. */
export function queueSection(changed: () => Promise<void>): Section {
  return { id: "queue", title: "Queue", show: () => queue(changed) };
}

async function queue(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const { items, total } = await makeCall(adminCalls, "Queue", {});
  const boxes = new Map(
    items.map((i) => [i.id, el("input", { type: "checkbox", "aria-label": `Select ${i.to}` })]),
  );
  const act = (action: Action, question?: string) =>
    attempt(async () => {
      const ids = [...boxes].filter(([, b]) => b.checked).map(([id]) => id);
      if (ids.length === 0) return void notice("Nothing is selected.");
      if (question !== undefined) {
        const yes = await confirmDialog("Queue", question, "Go on", { danger: true });
        if (!yes) return;
      }
      const { count } = await makeCall(adminCalls, "QueueAct", { filter: { ids }, action });
      notice(`${countText(count, "message")} changed.`);
      await changed();
    });
  return [
    el(
      "p",
      { class: "muted" },
      total > items.length
        ? `The first ${items.length} of ${countText(total, "message")}.`
        : countText(total, "message"),
    ),
    el(
      "div",
      { class: "tools" },
      button("Select all", () => boxes.forEach((b) => b.checked = true)),
      button("Send now", () => act("now"), { title: "Try at once" }),
      button("Hold", () => act("hold"), { title: "Don't try until it is released" }),
      button("Release", () => act("unhold")),
      button("Fail", () => act("fail", "The messages are sent back to their senders."), {
        title: "Give up, and tell the sender",
        danger: true,
      }),
      button("Drop", () => act("drop", "The messages are removed without telling anybody."), {
        danger: true,
      }),
      button("Refresh", changed),
    ),
    table(
      ["", "To", "From", "Subject", "Size", "Queued", "Next attempt", "Attempts", "Last result"],
      items.map((i) => [
        boxes.get(i.id)!,
        i.to,
        `${i.from} (${i.account})`,
        i.subject,
        sizeText(i.size),
        el("span", { title: longDate(i.queued) }, shortDate(i.queued)),
        i.hold ? "on hold" : el("span", { title: longDate(i.next) }, shortDate(i.next)),
        String(i.attempts),
        i.lastError,
      ]),
      "Nothing is waiting to be sent.",
    ),
  ];
}
