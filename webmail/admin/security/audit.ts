/** Changes made by administrators: what, who and when. @module */
import { makeCall } from "../../api/client.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { lead, part, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";

export function auditSection(): Section {
  return { id: "audit", title: "Changes", show };
}

async function show(): Promise<View> {
  const { entries } = await makeCall(adminCalls, "Audit", {});
  return {
    heading: "Changes",
    content: part(
      "What was changed, and by whom",
      lead("Latest first. The file audit.jsonl in the data folder has all of them."),
      table(
        ["When", "Who", "From", "What", "Before and after"],
        entries.map((e) => [
          date(e.time),
          e.who,
          e.from,
          el("span", { title: e.details }, e.action),
          el(
            "div",
            {},
            e.changes.map((c) =>
              el(
                "div",
                {},
                `${c.what}: `,
                el("del", {}, c.before || "–"),
                " → ",
                el("ins", {}, c.after || "–"),
              )
            ),
          ),
        ]),
        "Nothing was changed yet.",
      ),
    ),
  };
}
