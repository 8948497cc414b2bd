/** What rules would do, what they did, and applying them to a mailbox. @module */
import { call } from "../../api/client.ts";
import type { Mailbox, RuleScript } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import { countText, longDate, shortDate } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";

/** Messages that rules are tried on. */
const most = 1000;

function choice(mailboxes: readonly Mailbox[]): HTMLSelectElement {
  return el("select", {}, mailboxes.map((m) => el("option", { value: m.id }, m.name)));
}

/** Shows what rules would do with the newest messages of a mailbox. */
export function tryRules(script: RuleScript, mailboxes: readonly Mailbox[]): void {
  const box = choice(mailboxes);
  const result = el("div", { role: "status" });
  const run = () =>
    attempt(async () => {
      fill(result, el("p", {}, t("Looking…")));
      const r = await call("RulesTry", { script, mailboxId: Number(box.value), limit: most });
      if (r.problems.length > 0) {
        const [p] = r.problems;
        fill(
          result,
          el("p", { class: "error" }, t("Line {0}, column {1}: {2}", p.line, p.column, p.message)),
        );
        return;
      }
      fill(
        result,
        el(
          "p",
          {},
          t(
            "Of {0} the rules would do something with {1}.",
            countText(r.looked, "message"),
            r.tried.length,
          ),
        ),
        r.tried.length === 0 ? null : el(
          "div",
          {
            class: "scrolls",
            tabindex: 0,
            role: "region",
            "aria-label": t("What the rules would do"),
          },
          el(
            "table",
            { class: "tried" },
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                [t("From"), t("Subject"), t("Came"), t("What")].map((t) =>
                  el("th", { scope: "col" }, t)
                ),
              ),
            ),
            el(
              "tbody",
              {},
              r.tried.map((t) =>
                el(
                  "tr",
                  {},
                  el("td", {}, safeText(t.from)),
                  el("td", {}, safeText(t.subject)),
                  el("td", { title: longDate(t.received) }, shortDate(t.received)),
                  el("td", {}, t.what.join("; ")),
                )
              ),
            ),
          ),
        ),
      );
    });
  box.addEventListener("change", run);
  openDialog(
    t("Try the rules"),
    el("div", { class: "rules-dialog" }, field(t("Mailbox"), box), result),
    {
      wide: true,
    },
  );
  run();
}

/** Applies the stored rules to a mailbox, with progress and undo. */
export function applyRules(mailboxes: readonly Mailbox[]): void {
  const box = choice(mailboxes);
  const bar = el("progress", { value: 0, max: 1, "aria-label": t("Messages looked at") });
  const words = el(
    "p",
    { role: "status" },
    t("Messages are moved, copied and marked as the rules say. Nothing is sent, refused or deleted for good."),
  );
  const buttons = el("div", { class: "buttons" });
  const start = () =>
    attempt(async () => {
      const { job } = await call("RulesApply", { mailboxId: Number(box.value) });
      const undo = button(t("Stop and undo"), () =>
        attempt(async () => {
          undo.disabled = true;
          const { count } = await call("RulesUndo", { job });
          notice(t("Undone for {0}.", countText(count, "message")));
          dialog.close();
        }));
      fill(buttons, undo);
      for (;;) {
        const p = await call("RulesProgress", { job });
        bar.max = Math.max(1, p.total);
        bar.value = p.finished ? bar.max : p.done;
        fill(words, t("{0} of {1} looked at, {2} changed.", p.done, p.total, p.changed));
        if (p.error !== null) throw new Error(p.error);
        if (p.finished) break;
        await new Promise((resolve) => setTimeout(resolve, 300));
        if (!dialog.element.isConnected) return;
      }
      fill(undo, t("Undo"));
      fill(buttons, undo, button(t("Close"), () => dialog.close(), { primary: true }));
    });
  fill(buttons, button(t("Apply"), start, { primary: true }));
  const dialog = openDialog(
    t("Apply the rules"),
    el("div", { class: "rules-dialog" }, field(t("To the messages of"), box), bar, words, buttons),
  );
}

/** Shows what rules did recently, or to one message. */
export function showLog(id: number | undefined): void {
  attempt(async () => {
    const { entries } = await call("RulesLog", id === undefined ? {} : { id });
    openDialog(
      id === undefined ? t("What rules did lately") : t("What rules did with this message"),
      entries.length === 0 ? el("p", {}, t("Nothing.")) : el(
        "ul",
        { class: "rule-log" },
        entries.map((e) =>
          el(
            "li",
            {},
            el(
              "p",
              { title: longDate(e.time) },
              `${shortDate(e.time)} `,
              safeText(e.from),
              " ",
              safeText(e.subject),
            ),
            e.error === undefined ? null : el("p", { class: "error" }, t("Failed: {0}", e.error)),
            e.steps.map((s) =>
              el(
                "p",
                { class: "hint" },
                safeText(s.line > 0 ? `${s.text} (${s.script}, line ${s.line})` : s.text),
              )
            ),
          )
        ),
      ),
      { wide: true },
    );
  });
}
