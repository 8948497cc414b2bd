/** Disk space, who uses it, and the last backup. @module */
import { makeCall } from "../../api/client.ts";
import { el } from "../../lib/dom.ts";
import { sizeText } from "../../lib/format.ts";
import { facts, lead, part, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { Backup } from "../api/server.ts";
import { hrefOf, type Section } from "../../lib/frame.ts";
import { date, fromNow } from "../dates.ts";

export function storageSection(): Section {
  return { id: "storage", title: "Storage", show };
}

const maxShown = 50;

async function show(): Promise<HTMLElement[]> {
  const s = await makeCall(adminCalls, "Storage", {});
  return [
    part(
      "Disk",
      facts([
        ["Data folder", el("code", {}, s.dataDir)],
        ["Messages", sizeText(s.used)],
        ["Free", el("span", { class: s.free < 1e9 ? "bad" : "" }, sizeText(s.free))],
      ]),
    ),
    part("Backup", ...backup(s.backup)),
    part(
      "By account",
      table(
        ["Account", { text: "Used", number: true }, "Of its quota"],
        s.accounts.slice(0, maxShown).map((a) => [
          el("a", { href: hrefOf("accounts", a.name) }, a.name),
          sizeText(a.used),
          quota(a.used, a.quota),
        ]),
        "There are no accounts yet.",
      ),
      s.accounts.length > maxShown
        ? lead(`The ${maxShown} largest of ${s.accounts.length} accounts.`)
        : null,
    ),
  ];
}

/** How much of a quota is used. */
export function quota(used: number, limit: number | null): HTMLElement {
  if (limit === null) return el("span", { class: "muted" }, "no limit");
  return el(
    "span",
    { class: "quota" },
    el("meter", {
      min: 0,
      max: limit,
      high: limit * .9,
      value: used,
      "aria-label": `${Math.round(used * 100 / limit)} % used`,
    }),
    ` of ${sizeText(limit)}`,
  );
}

function backup(b: Backup | null): HTMLElement[] {
  const how = lead(
    "Made with ",
    el("code", {}, "mox backup DESTINATION"),
    " while the server runs; with -watch the copy is kept up to date.",
  );
  if (b === null) {
    return [el("p", { class: "state-warning" }, "No backup of this folder is known."), how];
  }
  const old = b.ended !== null && Date.now() - b.ended > 7 * 86_400_000;
  return [
    facts([
      [
        "State",
        el(
          "span",
          { class: b.ended === null ? "" : b.ok ? old ? "state-warning" : "good" : "bad" },
          b.ended === null
            ? "is being made"
            : b.ok
            ? old ? "good, but more than a week old" : "good"
            : "failed",
        ),
      ],
      ["When", [date(b.ended ?? b.started), " (", fromNow(b.ended ?? b.started), ")"]],
      ["Where to", el("code", {}, b.destination)],
      ["What was said", b.text],
    ]),
    how,
  ];
}
