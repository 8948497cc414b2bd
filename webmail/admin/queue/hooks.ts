/** Webhooks: HTTP calls that are waiting, and finished ones. @module */
import { makeCall } from "../../api/client.ts";
import { button, linkButton } from "../../lib/button.ts";
import { confirmDialog, openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { countText, longDate } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { facts, lead, part, table } from "../../lib/page.ts";
import type { Hook, HookAttempt, RetiredHook } from "../api/hooks.ts";
import { adminCalls } from "../api/mod.ts";
import { date, fromNow } from "../dates.ts";

export function hookSection(changed: () => Promise<void>): Section {
  return { id: "hooks", title: "Webhooks", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { waiting, total, retired } = await makeCall(adminCalls, "Hooks", {});
  const act = (id: number, action: "now" | "cancel") =>
    attempt(async () => {
      if (action === "cancel") {
        const yes = await confirmDialog(
          "Cancel the call",
          "The program is not told of it any more.",
          "Cancel the call",
          { danger: true },
        );
        if (!yes) return;
      }
      const { count } = await makeCall(adminCalls, "HooksAct", { ids: [id], action });
      notice(count === 0 ? "The call is being made just now, or is done." : "Done.");
      await changed();
    });
  return {
    heading: "Webhooks",
    actions: button("Refresh", changed),
    content: [
      lead("HTTP calls that tell programs of incoming messages and of what became of sent ones."),
      part(
        "Waiting",
        table(
          [
            "Account",
            "Event",
            "URL",
            "Next attempt",
            { text: "Attempts", number: true },
            "Last answer",
            {
              text: "Actions",
              unseen: true,
            },
          ],
          waiting.map((h) => [
            h.account,
            linkButton(h.event, () => details(h, false), "Show what it says"),
            h.url,
            h.next <= Date.now() ? "now" : fromNow(h.next),
            String(h.attempts),
            answer(h.results.at(-1)),
            [
              button("Try now", () => act(h.id, "now")),
              button("Cancel", () => act(h.id, "cancel"), { danger: true }),
            ],
          ]),
          "No call is waiting.",
        ),
        total > waiting.length ? lead(`The first of ${countText(total, "call")}.`) : null,
      ),
      part(
        "Done",
        table(
          [
            "Account",
            "Event",
            "URL",
            "Done",
            "Outcome",
            { text: "Attempts", number: true },
            "Last answer",
          ],
          retired.map((h) => [
            h.account,
            linkButton(h.event, () => details(h, true), "Show what it said"),
            h.url,
            date(h.left),
            el("span", { class: h.outcome === "done" ? "good" : "bad" }, h.outcome),
            String(h.attempts),
            answer(h.results.at(-1)),
          ]),
          "None is kept. Accounts with KeepRetiredWebhookPeriod in domains.conf keep them for a while.",
        ),
      ),
    ],
  };
}

function answer(a: HookAttempt | undefined): HTMLElement {
  if (a === undefined) return el("span", { class: "muted" }, "none yet");
  const text = a.code === 0 ? a.error : `${a.code}${a.error === "" ? "" : `: ${a.error}`}`;
  return el(
    "span",
    { class: a.success ? "good" : "bad", title: a.response },
    `${text} (${a.took} ms)`,
  );
}

function details(h: Hook | RetiredHook, retired: boolean): void {
  attempt(async () => {
    const { payload } = await makeCall(adminCalls, "HookPayload", { id: h.id, retired });
    openDialog(
      `${h.event}: ${h.subject}`,
      el(
        "div",
        { class: "stacked" },
        facts([
          ["Account", h.account],
          ["URL", h.url],
          ["Queued", longDate(h.submitted)],
        ]),
        el("h3", {}, "Attempts"),
        h.results.length === 0 ? el("p", { class: "none" }, "There was no attempt yet.") : el(
          "ol",
          { class: "attempts" },
          h.results.map((a) => el("li", {}, date(a.time), " ", answer(a))),
        ),
        el("h3", {}, "What it says"),
        el(
          "pre",
          { tabindex: 0, role: "region", "aria-label": "Body of the call" },
          pretty(payload),
        ),
      ),
      { wide: true },
    );
  });
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
