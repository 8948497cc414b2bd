/** The server itself: its state, reports about the domains, log levels and configuration. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { el } from "../lib/dom.ts";
import { longDate, numberText, shortDate, sizeText } from "../lib/format.ts";
import { notice } from "../lib/notify.ts";
import { facts, formDialog, part, type Section, table } from "../lib/page.ts";
import { adminCalls } from "./api.ts";

const levels = ["error", "warn", "info", "debug", "trace", "traceauth", "tracedata", "default"];

/** State, reports and settings. */
export function serverSections(changed: () => Promise<void>): [Section, Section, Section] {
  return [
    { id: "server", title: "Server", show: status },
    { id: "reports", title: "Reports", show: reports },
    { id: "settings", title: "Settings", show: () => settings(changed) },
  ];
}

async function status(): Promise<HTMLElement[]> {
  const [o, host] = await Promise.all([
    makeCall(adminCalls, "Overview", {}),
    makeCall(adminCalls, "Host", {}),
  ]);
  return [
    facts([
      ["Host", o.hostname],
      ["Version", o.version],
      ["Running since", longDate(o.started)],
      ["Memory", sizeText(o.memory)],
      ["Domains", numberText(o.domains.length)],
      ["Accounts", numberText(o.accounts.length)],
      ["In the queue", el("a", { href: "#queue" }, numberText(o.queue))],
    ]),
    part(
      "Storage",
      facts([
        ["Data folder", host.dataDir],
        ["Messages", sizeText(host.used)],
        ["Free on the disk", sizeText(host.free)],
        ["Backup", "mox backup, or mox backup -watch for a copy that is kept up to date"],
      ]),
    ),
    host.dnsbl === null
      ? part(
        "Block lists",
        el("p", { class: "muted" }, "Not asked here, as there is no DNS."),
      )
      : part(
        "Block lists",
        el(
          "p",
          { class: "muted" },
          "Whether lists of DNSBLs and MonitorDNSBLs have the addresses of this host.",
        ),
        table(
          ["Address", "List", "State", ""],
          host.dnsbl.map((d) => [
            d.ip,
            d.zone,
            el(
              "span",
              { class: d.status === "pass" ? "good" : "bad" },
              d.status === "pass" ? "not listed" : d.status === "fail" ? "listed" : "can't tell",
            ),
            d.text,
          ]),
          "No lists are set, or the host's public addresses are not known.",
        ),
      ),
    part(
      "Listening on",
      el("ul", {}, o.listeners.map((l) => el("li", {}, l))),
    ),
  ];
}

/** A bar of what passed and what failed. */
function bar(pass: number, fail: number): HTMLElement {
  const share = (n: number) => `width:${pass + fail === 0 ? 0 : n * 100 / (pass + fail)}%`;
  return el(
    "span",
    { class: "bar", role: "img", "aria-label": `${pass} passed, ${fail} failed` },
    el("i", { class: "pass", style: share(pass) }),
    el("i", { class: "fail", style: share(fail) }),
  );
}

async function reports(): Promise<HTMLElement[]> {
  const [dmarc, tls] = await Promise.all([
    makeCall(adminCalls, "DmarcReports", {}),
    makeCall(adminCalls, "TlsReports", {}),
  ]);
  return [
    part(
      "DMARC, the last 30 days",
      el("p", { class: "muted" }, "What others found about messages in the name of your domains."),
      table(
        ["Domain", "Messages", "Let in", "Quarantined", "Refused", "DKIM", "SPF"],
        dmarc.domains.map((d) => [
          d.domain,
          numberText(d.total),
          numberText(d.dispositionNone),
          numberText(d.quarantine),
          numberText(d.reject),
          bar(d.total - d.dkimFail, d.dkimFail),
          bar(d.total - d.spfFail, d.spfFail),
        ]),
        "No reports came in.",
      ),
    ),
    part(
      "TLS, the last 30 days",
      el("p", { class: "muted" }, "How other servers fared with TLS when they delivered to you."),
      table(
        ["From", "Domain", "Day", "Connections", ""],
        tls.reports.map((r) => [
          r.organization,
          r.domain,
          el("span", { title: longDate(r.begin) }, shortDate(r.begin)),
          `${numberText(r.success)} fine, ${numberText(r.failure)} failed`,
          bar(r.success, r.failure),
        ]),
        "No reports came in.",
      ),
    ),
  ];
}

async function settings(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const o = await makeCall(adminCalls, "Overview", {});
  return [
    part(
      "Administrator's password",
      button("Change password", () =>
        formDialog(
          "Administrator's password",
          [{
            name: "password",
            label: "New password",
            type: "password",
            required: true,
            autocomplete: "new-password",
          }],
          "Change",
          async ({ password }) => {
            await makeCall(adminCalls, "PasswordSet", { password });
            notice("Password changed. Other logins have ended.");
          },
        )),
    ),
    part(
      "Log levels",
      table(
        ["Package", "Level"],
        o.logLevels.map((l) => [l.pkg || "(all others)", l.level]),
        "All are at their default.",
      ),
      button("Set level", () =>
        formDialog(
          "Log level",
          [
            {
              name: "pkg",
              label: "Package",
              explanation: "Such as smtpserver; empty for all others",
            },
            { name: "level", label: "Level", options: levels, value: "info" },
          ],
          "Set",
          async ({ pkg, level }) => {
            await makeCall(adminCalls, "LogLevelSet", { pkg, level });
            await changed();
          },
        )),
    ),
    part("domains.conf", el("pre", { tabindex: 0, "aria-label": "domains.conf" }, o.dynamicConfig)),
    part("mox.conf", el("pre", { tabindex: 0, "aria-label": "mox.conf" }, o.staticConfig)),
  ];
}
