/** Certificates and their expiry. @module */
import { makeCall } from "../../api/client.ts";
import { el } from "../../lib/dom.ts";
import type { Section } from "../../lib/frame.ts";
import { lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { date, fromNow } from "../dates.ts";

export function certificateSection(): Section {
  return { id: "certificates", title: "Certificates", show };
}

const day = 86_400_000;

async function show(): Promise<HTMLElement[]> {
  const { certificates } = await makeCall(adminCalls, "Certificates", {});
  const until = (ms: number | null) => {
    if (ms === null) return el("span", { class: "bad" }, "none yet");
    const left = ms - Date.now();
    return el(
      "span",
      { class: left < 3 * day ? "bad" : left < 14 * day ? "state-warning" : "" },
      date(ms),
      " (",
      fromNow(ms),
      ")",
    );
  };
  return [
    lead(
      "Those that come by ACME are renewed by themselves; those from files are read again when the files change.",
    ),
    table(
      ["Name", "From", "Good until", "Next try or renewal", "Problem"],
      certificates.map((c) => [
        c.name,
        c.from,
        until(c.notAfter),
        c.next === null ? el("span", { class: "muted" }, "not by this server") : fromNow(c.next),
        c.error === "" ? el("span", { class: "good" }, "none") : el(
          "span",
          { class: "bad" },
          c.failures > 0 ? `failed ${c.failures} times: ${c.error}` : c.error,
        ),
      ]),
      "There are none: no listener has TLS.",
    ),
  ];
}
