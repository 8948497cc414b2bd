/** Domains: their DNS, aliases, and settings of mail programs. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import { el, fill } from "../lib/dom.ts";
import { attempt, errorText } from "../lib/notify.ts";
import { formDialog, part, type Section, table } from "../lib/page.ts";
import { adminCalls, type DomainDetail } from "./api.ts";

/** The section on domains. */
export function domainSections(changed: () => Promise<void>): Section[] {
  return [{ id: "domains", title: "Domains", show: () => domains(changed) }];
}

async function domains(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const o = await makeCall(adminCalls, "Overview", {});
  const detail = el("div", { class: "domain-detail" });
  const open = (name: string) =>
    attempt(async () => {
      const d = await makeCall(adminCalls, "Domain", { name });
      fill(detail, domain(d, () => open(name)));
      detail.scrollIntoView({ block: "nearest" });
    });
  return [
    button("Add domain", () =>
      formDialog(
        "Add domain",
        [
          { name: "name", label: "Domain", required: true },
          {
            name: "account",
            label: "Account for its reports and postmaster",
            options: o.accounts.map((a) => a.name),
            required: true,
          },
        ],
        "Add",
        async ({ name, account }) => {
          await makeCall(adminCalls, "DomainAdd", { name, account });
          await changed();
        },
      ), { primary: true }),
    table(
      ["Domain", "", ""],
      o.domains.map((d) => [
        d.name,
        d.disabled ? "disabled" : "",
        [
          button("Open", () => open(d.name)),
          button(d.disabled ? "Enable" : "Disable", () =>
            attempt(async () => {
              await makeCall(adminCalls, "DomainDisable", { name: d.name, disabled: !d.disabled });
              await changed();
            })),
          button("Remove", () =>
            attempt(async () => {
              const yes = await confirmDialog(
                `Remove ${d.name}`,
                "Mail for the domain is refused from then on. Accounts and their mail stay.",
                "Remove",
                { danger: true },
              );
              if (!yes) return;
              await makeCall(adminCalls, "DomainRemove", { name: d.name });
              await changed();
            }), { danger: true }),
        ],
      ]),
      "There are no domains yet.",
    ),
    detail,
  ];
}

function domain(d: DomainDetail, reload: () => void): HTMLElement[] {
  const zone = d.records.join("\n");
  const check = el("div", { role: "status" });
  const flag = (on: boolean, text: string) => on ? [text] : [];
  return [
    part(
      d.name,
      el("p", { class: "muted" }, "Records for the zone of the domain, to copy:"),
      el("pre", { tabindex: 0, "aria-label": "DNS records" }, zone),
      el(
        "div",
        { class: "tools" },
        button("Copy", () => navigator.clipboard?.writeText(zone)),
        button("Check DNS", () => runCheck(d.name, check), {
          title: "Compares what the DNS has with what it should have",
        }),
      ),
      check,
    ),
    part(
      "Aliases",
      table(
        ["Address", "Members", "Options", ""],
        d.aliases.map((a) => [
          `${a.localpart}@${d.name}`,
          a.members.join(", "),
          [
            ...flag(a.postPublic, "anybody may post"),
            ...flag(a.listMembers, "members see each other"),
            ...flag(a.allowMsgFrom, "members may send as it"),
          ].join(", "),
          button("Remove", () =>
            attempt(async () => {
              await makeCall(adminCalls, "AliasRemove", { address: `${a.localpart}@${d.name}` });
              reload();
            })),
        ]),
        "No aliases.",
      ),
      button("Add alias", () =>
        formDialog(
          "Add alias",
          [
            { name: "localpart", label: `Address before @${d.name}`, required: true },
            {
              name: "members",
              label: "Members",
              type: "textarea",
              required: true,
              explanation: "Addresses of accounts here, one in a line",
            },
            { name: "postPublic", label: "Anybody may post", type: "checkbox" },
            { name: "listMembers", label: "Members see each other", type: "checkbox" },
            { name: "allowMsgFrom", label: "Members may send as it", type: "checkbox" },
          ],
          "Add",
          async (f) => {
            await makeCall(adminCalls, "AliasAdd", {
              address: `${f.localpart}@${d.name}`,
              members: f.members.split(/[\s,]+/).filter((m) => m !== ""),
              postPublic: f.postPublic !== "",
              listMembers: f.listMembers !== "",
              allowMsgFrom: f.allowMsgFrom !== "",
            });
            reload();
          },
        )),
    ),
    part(
      "Mail programs",
      table(
        ["Protocol", "Host", "Port", "Security"],
        d.clients.map((c) => [c.protocol, c.host, String(c.port), c.security]),
        "No listener offers IMAP or submission.",
      ),
    ),
  ];
}

async function runCheck(name: string, into: HTMLElement): Promise<void> {
  fill(into, el("p", {}, "Looking at the DNS…"));
  try {
    const { parts } = await makeCall(adminCalls, "DomainCheck", { name });
    fill(
      into,
      parts.map((p) =>
        el(
          "div",
          { class: "check-part" },
          el("h3", {}, p.name, el("span", { class: `state-${p.state}` }, p.state)),
          p.findings.map((f) =>
            f.fix === ""
              ? el("p", { class: `state-${f.state}` }, f.text)
              : el("pre", { tabindex: 0 }, f.fix)
          ),
        )
      ),
      button("Close", () => fill(into), { attributes: { class: "quiet" } }),
    );
  } catch (e) {
    fill(into, el("p", { class: "error" }, errorText(e)));
  }
}
