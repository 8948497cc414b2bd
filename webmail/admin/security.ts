/** Attempts to log in, certificates, and TLS policies of others. @module */
import { makeCall } from "../api/client.ts";
import { attemptsTable } from "../lib/attempts.ts";
import { el } from "../lib/dom.ts";
import { longDate, shortDate } from "../lib/format.ts";
import { part, type Section, table } from "../lib/page.ts";
import { adminCalls } from "./api.ts";

export function securitySection(): Section {
  return { id: "security", title: "Security", show };
}

const date = (ms: number) => el("span", { title: longDate(ms) }, shortDate(ms));

async function show(): Promise<HTMLElement[]> {
  const s = await makeCall(adminCalls, "Security", {});
  return [
    part("Attempts to log in, the last 30 days", attemptsTable(s.attempts, true)),
    part(
      "Certificates",
      el("p", { class: "muted" }, "Those that come from an authority by themselves."),
      table(
        ["Name", "Authority", "Good until", "Next try or renewal", "Problem"],
        s.certificates.map((c) => [
          c.name,
          c.authority,
          c.notAfter === null ? "none yet" : date(c.notAfter),
          date(c.next),
          c.error === "" ? "" : el("span", { class: "bad" }, `${c.failures} times: ${c.error}`),
        ]),
        "None: certificates are in files, or there is no TLS.",
      ),
    ),
    part(
      "MTA-STS policies of others",
      el(
        "p",
        { class: "muted" },
        "Domains that ask for TLS with certificates that can be verified.",
      ),
      table(
        ["Domain", "Mode", "Hosts", "Fetched", "Holds until"],
        s.policies.map((p) => [
          p.domain,
          p.mode,
          p.mx.join(", "),
          date(p.fetched),
          date(p.expires),
        ]),
        "None was seen yet.",
      ),
    ),
  ];
}
