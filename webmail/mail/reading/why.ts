/**
 * "Why is this here?" for an opened message: the reason, what decided it, and what a careful reader would notice.
 * @module
 */
import type { ParsedMessage } from "../../api/mod.ts";
import { el } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";
import { has } from "../names.ts";

/** Visible warnings, with the rest folded; null for messages that were not received over SMTP. */
export function whyHere(message: ParsedMessage): HTMLElement | null {
  const why = message.why;
  if (why === null || has(message.item, "draft")) return null;
  const list = (title: string, words: readonly string[]) =>
    words.length === 0 ? null : el("p", { dir: "auto" }, title, safeText(words.join(", ")));
  const signals = why.signals.length === 0
    ? null
    : el("ul", {}, why.signals.map((s) => el("li", { dir: "auto" }, safeText(s))));
  const score = why.score === null
    ? null
    : el("p", {}, t("The junk filter gives it {0} between 0 (good) and 1 (junk).", why.score));
  return el(
    "div",
    { class: "why-here" },
    why.warning
      ? el(
        "div",
        { class: "warning", role: "note" },
        el("p", {}, t("Take care with this message:")),
        signals,
      )
      : null,
    el(
      "details",
      {},
      el("summary", {}, t("Why is this here?")),
      why.sentence === "" ? null : el("p", {}, why.sentence),
      why.warning ? null : signals,
      score,
      list(t("For good mail spoke: "), why.good),
      list(t("For junk spoke: "), why.junk),
      el("p", {}, t("Moving a message out of Junk, or into it, teaches the filter.")),
    ),
  );
}
