/** What came of attempts to deliver. @module */
import { el } from "../../lib/dom.ts";
import type { Attempt } from "../api/queue.ts";
import { date } from "../dates.ts";

const words: Record<string, string> = {
  delivered: "delivered",
  temporary: "failed for now",
  permanent: "failed for good",
};

/** An attempt in a line. */
export function attemptText(a: Attempt): HTMLElement {
  const code = [a.code === 0 ? "" : String(a.code), a.enhanced].filter((t) => t !== "").join(" ");
  const at = a.remoteMta === "" ? "" : ` (${a.remoteMta})`;
  return el(
    "span",
    { class: a.kind === "delivered" ? "good" : a.kind === "permanent" ? "bad" : "state-warning" },
    `${[code, a.text].filter((t) => t !== "").join(" ") || words[a.kind] || a.kind}${at}`,
  );
}

/** All of them. */
export function attemptsList(list: readonly Attempt[]): HTMLElement {
  if (list.length === 0) return el("p", { class: "none" }, "There was no attempt yet.");
  return el(
    "ol",
    { class: "attempts" },
    list.map((a) => el("li", {}, date(a.time), " ", attemptText(a))),
  );
}
