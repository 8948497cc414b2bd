/**
 * What localserve's checks find of a message: for developers of programs that send it. The findings are in
 * English, as those of the API are.
 *
 * @module
 */
import * as v from "valibot";
import { openDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";

const Found = v.object({
  Findings: v.array(v.object({ Area: v.string(), Level: v.string(), Text: v.string() })),
});
const HtmlSupport = v.object({
  Warnings: v.array(v.object({
    Title: v.string(),
    URL: v.string(),
    Score: v.object({ Supported: v.number(), Partial: v.number(), Unsupported: v.number() }),
  })),
});

/** Features of HTML that are named, those that the fewest programs support first. */
const maxFeatures = 30;

async function ask<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
  const r = await fetch(path);
  if (!r.ok) throw new Error(await r.text());
  return v.parse(schema, await r.json());
}

const marks: Record<string, string> = { warning: "⚠", note: "ℹ", ok: "✓" };

/** Shows the checks in a dialog. @throws Error if they can't be had */
export async function showChecks(path: string): Promise<void> {
  const { Findings } = await ask(`${path}/check`, Found);
  // A message without HTML has none.
  const support = await ask(`${path}/html-check`, HtmlSupport).catch(() => ({ Warnings: [] }));
  const areas = [...new Set(Findings.map((f) => f.Area))];
  const features = support.Warnings.toSorted((a, b) => a.Score.Supported - b.Score.Supported)
    .slice(0, maxFeatures);
  openDialog(
    t("Checks"),
    el(
      "div",
      { class: "checks", tabindex: -1 },
      areas.map((area) => [
        el("h3", {}, area),
        el(
          "ul",
          {},
          Findings.filter((f) => f.Area === area).map((f) =>
            el(
              "li",
              { class: `check-${f.Level}` },
              el(
                "span",
                { class: "check-mark", role: "img", "aria-label": f.Level },
                marks[f.Level],
              ),
              f.Text,
            )
          ),
        ),
      ]),
      features.length === 0 ? null : [
        el("h3", {}, t("Support by mail programs")),
        el(
          "table",
          {},
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              [t("Feature"), t("Supported"), t("In part"), t("Not")].map((h) =>
                el("th", { scope: "col" }, h)
              ),
            ),
          ),
          el(
            "tbody",
            {},
            features.map((f) =>
              el(
                "tr",
                {},
                el("td", {}, el("a", { href: f.URL, target: "_blank", rel: "noopener" }, f.Title)),
                [f.Score.Supported, f.Score.Partial, f.Score.Unsupported].map((n) =>
                  el("td", { class: "number" }, `${Math.round(n)} %`)
                ),
              )
            ),
          ),
        ),
      ],
    ),
    { wide: true },
  );
}
