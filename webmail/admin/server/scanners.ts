/** Other programs that check mail: which, for what, and whether they respond. @module */
import { makeCall } from "../../api/client.ts";
import { el } from "../../lib/dom.ts";
import type { Section } from "../../lib/frame.ts";
import { lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { fromNow } from "../dates.ts";

export function scannerSection(): Section {
  return { id: "scanners", title: "Scanners", show };
}

async function show(): Promise<HTMLElement[]> {
  const { scanners } = await makeCall(adminCalls, "Scanners", {});
  return [
    lead(
      "Milters, rspamd and ClamAV of Scanners in mox.conf. While one is away, mail waits or passes, as its WhenAway says.",
    ),
    table(
      ["Name", "Kind", "Where", "Looks at", "Away", "State"],
      scanners.map((s) => [
        s.name,
        s.kind,
        s.address,
        s.uses.length === 0
          ? el("span", { class: "state-warning" }, "nothing: no list names it")
          : s.uses.join(", "),
        s.whenAway === "accept" ? "mail passes" : "mail waits",
        s.error !== ""
          ? el("span", { class: "bad" }, `away, ${fromNow(s.since!)}: ${s.error}`)
          : s.since === null
          ? el("span", { class: "muted" }, "not asked yet")
          : el("span", { class: "good" }, "answers"),
      ]),
      "There are none.",
    ),
  ];
}
