/** The server's state at a glance. @module */
import { makeCall } from "../../api/client.ts";
import { sparkline } from "../../lib/chart.ts";
import { el, fill } from "../../lib/dom.ts";
import type { Section } from "../../lib/frame.ts";
import { longDate, numberText, sizeText } from "../../lib/format.ts";
import { facts, lead, part } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { AdminOverview, Series } from "../api/server.ts";
import { fromNow } from "../dates.ts";

export function overviewSection(): Section {
  return { id: "overview", title: "Overview", every: 60_000, show };
}

async function show(): Promise<HTMLElement[]> {
  const [o, glance, certificates] = await Promise.all([
    makeCall(adminCalls, "Overview", {}),
    makeCall(adminCalls, "Glance", {}),
    makeCall(adminCalls, "Certificates", {}),
  ]);
  const notes = worries(o, glance.series, certificates.certificates);
  const list = el("ul", { class: "notes", "aria-label": "What needs attention" });
  const fillNotes = () =>
    fill(
      list,
      notes.length === 0
        ? el("li", { class: "state-ok" }, "Nothing needs your attention.")
        : notes.map((n) => el("li", { class: n.level }, n.text)),
    );
  fillNotes();
  // If it can't be determined, the section on block lists says so.
  blockListNotes().then((more) => {
    notes.push(...more);
    fillNotes();
  }, () => {});
  return [
    el("section", {}, list),
    el(
      "section",
      { "aria-label": "Figures" },
      lead(period(o.started, glance.step)),
      el("div", { class: "cards" }, glance.series.map((s) => card(s, glance.room))),
    ),
    part(
      "Server",
      facts([
        ["Host", o.hostname],
        ["Version", o.version],
        ["Running since", [longDate(o.started), " (", fromNow(o.started), ")"]],
        ["Domains", el("a", { href: "#domains" }, numberText(o.domains))],
        ["Accounts", el("a", { href: "#accounts" }, numberText(o.accounts))],
        ["In the queue", [
          el("a", { href: "#queue" }, numberText(o.queue)),
          o.held > 0 ? `, ${numberText(o.held)} on hold` : "",
        ]],
      ]),
    ),
    part("Listening on", el("ul", { class: "plain" }, o.listeners.map((l) => el("li", {}, l)))),
  ];
}

function period(started: number, step: number): string {
  const hours = Math.floor((Date.now() - started) / 3_600_000);
  return `${hours < 24 ? "Since the server was started" : "The last 24 hours"}. Each bar is ${
    Math.round(step / 60_000)
  } minutes of a day.`;
}

function card(series: Series, room: number): HTMLElement {
  const figure = series.unit === "bytes" ? sizeText : numberText;
  const sum = series.kind === "rate" ? series.points.reduce((n, v) => n + v, 0) : series.total;
  const worry = series.bad && sum > 0;
  return el(
    "div",
    { class: `card${worry ? " bad" : ""}` },
    el("span", { class: "card-title" }, series.title),
    el("strong", {}, figure(sum)),
    sparkline(series.points, {
      kind: series.kind,
      bad: worry,
      room,
      label: series.kind === "rate"
        ? `${series.title}: ${figure(sum)}, at most ${
          figure(Math.max(...series.points, 0))
        } at a time`
        : `${series.title}: ${figure(series.total)} now, at most ${
          figure(Math.max(...series.points, 0))
        }`,
    }),
  );
}

type Certificates = { name: string; notAfter: number | null; error: string }[];

/** Something that needs attention. */
interface Note {
  level: "state-error" | "state-warning";
  text: (string | HTMLElement)[];
}

/** Free bytes below which the disk counts as nearly full. */
const littleRoom = 1e9;

/** What an administrator should look at. */
function worries(
  overview: AdminOverview,
  series: readonly Series[],
  certificates: Certificates,
): Note[] {
  const notes: Note[] = [];
  const sum = (id: string) =>
    series.find((s) => s.id === id)?.points.reduce((n, v) => n + v, 0) ?? 0;
  const panics = sum("panics");
  if (panics > 0) {
    notes.push({
      level: "state-error",
      text: [
        `${numberText(panics)} unhandled errors: the log has them, please report them.`,
      ],
    });
  }
  for (const c of certificates) {
    const left = c.notAfter === null ? undefined : c.notAfter - Date.now();
    if (left !== undefined && left > 14 * 86_400_000) continue;
    notes.push({
      level: left === undefined || left < 3 * 86_400_000 ? "state-error" : "state-warning",
      text: [
        el("a", { href: "#certificates" }, `Certificate of ${c.name}`),
        left === undefined
          ? ` is missing${c.error === "" ? "" : `: ${c.error}`}`
          : left < 0
          ? " has ended"
          : ` ends in ${numberText(Math.ceil(left / 86_400_000))} days`,
      ],
    });
  }
  if (overview.free < littleRoom) {
    notes.push({
      level: "state-error",
      text: [el("a", { href: "#storage" }, `Only ${sizeText(overview.free)} are free on the disk`)],
    });
  }
  if (overview.backup !== null && overview.backup.ended !== null && !overview.backup.ok) {
    notes.push({
      level: "state-error",
      text: [el("a", { href: "#storage" }, "The last backup failed"), `: ${overview.backup.text}`],
    });
  }
  const limited = sum("limited");
  if (limited > 0) {
    notes.push({
      level: "state-warning",
      text: [
        "Someone is guessing passwords: ",
        el("a", { href: "#logins" }, `${numberText(limited)} logins were refused unseen`),
      ],
    });
  }
  return notes;
}

/** Notes on block lists, added after the rest, as the DNS takes its time. */
async function blockListNotes(): Promise<Note[]> {
  const { found } = await makeCall(adminCalls, "BlockLists", {});
  return (found ?? []).filter((f) => f.status === "fail").map((f) => ({
    level: "state-error",
    text: [
      el("a", { href: "#blocklists" }, `${f.ip} is on the block list ${f.zone}`),
      f.text === "" ? "" : `: ${f.text}`,
    ],
  }));
}
