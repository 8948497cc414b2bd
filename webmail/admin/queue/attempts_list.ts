/** Results of delivery attempts. @module */
import { el } from "../../lib/dom.ts";
import type { Attempt } from "../api/queue.ts";
import { date } from "../dates.ts";

const words: Record<string, string> = {
  delivered: "delivered",
  temporary: "failed for now",
  permanent: "failed for good",
};

/** An attempt as a line. */
export function attemptText(attempt: Attempt): HTMLElement {
  const code = [attempt.code === 0 ? "" : String(attempt.code), attempt.enhanced].filter((t) =>
    t !== ""
  ).join(" ");
  const at = attempt.remoteMta === "" ? "" : ` (${attempt.remoteMta})`;
  return el(
    "span",
    {
      class: attempt.kind === "delivered"
        ? "good"
        : attempt.kind === "permanent"
        ? "bad"
        : "state-warning",
    },
    `${
      [code, attempt.text].filter((t) => t !== "").join(" ") || words[attempt.kind] || attempt.kind
    }${at}`,
  );
}

/** All attempts. */
export function attemptsList(list: readonly Attempt[]): HTMLElement {
  if (list.length === 0) return el("p", { class: "none" }, "There was no attempt yet.");
  return el(
    "ol",
    { class: "attempts" },
    list.map((a) => el("li", {}, date(a.time), " ", attemptText(a))),
  );
}
