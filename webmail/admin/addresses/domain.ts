/**
 * One domain: its DNS records and their check, addresses, settings, keys. Aliases are in aliases.ts. @module
 */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { hrefOf, type View } from "../../lib/frame.ts";
import { attempt, errorText, notice } from "../../lib/notify.ts";
import { copyButton, facts, formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { aliasPart } from "./aliases.ts";
import { type CheckPart, type DomainDetail } from "../api/domains.ts";
import { adminCalls } from "../api/mod.ts";
import { journalPart } from "./domain_journal.ts";
import { listPart } from "./lists.ts";

/** @param whole for the server's administrator, rather than an administrator of some domains */
export async function domainView(
  name: string,
  changed: () => Promise<void>,
  whole: boolean,
): Promise<View> {
  const [d, lists] = await Promise.all([
    makeCall(adminCalls, "Domain", { name }),
    listPart(name, changed),
  ]);
  return {
    heading: d.name,
    actions: tools(
      button("Settings", () => settings(d, changed)),
      whole ? button(d.disabled ? "Enable" : "Disable", () => disable(d, changed)) : null,
      whole ? button("Remove", () => remove(d), { danger: true }) : null,
    ),
    content: [
      d.disabled
        ? el("p", { class: "state-warning" }, "Disabled: mail for the domain is put off.")
        : null,
      d.description === "" ? null : el("p", {}, d.description),
      dns(d, whole),
      aliasPart(d, changed),
      lists,
      part(
        "Addresses",
        table(
          ["Address", "Account"],
          d.addresses.map((a) => [
            a.address.startsWith("@") ? `${a.address} (all others)` : a.address,
            el("a", { href: hrefOf("accounts", a.account) }, a.account),
          ]),
          "No account has an address of the domain.",
        ),
      ),
      keys(d, changed),
      policies(d, changed),
      journalPart(d, changed, whole),
      whole ? administrators(d, changed) : null,
      part(
        "Settings of mail programs",
        table(
          ["Protocol", "Host", { text: "Port", number: true }, "Security"],
          d.clients.map((c) => [c.protocol, c.host, String(c.port), c.security]),
          "No listener offers IMAP or submission.",
        ),
      ),
    ],
  };
}

function disable(detail: DomainDetail, changed: () => Promise<void>): void {
  attempt(async () => {
    const yes = detail.disabled || await confirmDialog(
      `Disable ${detail.name}`,
      "Mail for it is refused for the time being, so that other servers try again later, and its " +
        "users can't send with its addresses.",
      "Disable",
      { danger: true },
    );
    if (!yes) return;
    await makeCall(adminCalls, "DomainDisable", { name: detail.name, disabled: !detail.disabled });
    await changed();
  });
}

function administrators(detail: DomainDetail, changed: () => Promise<void>): HTMLElement {
  return part(
    "Administrators",
    lead(
      "Accounts that log in to this page with their own address and password, and see and change this domain and " +
        "its accounts only.",
    ),
    detail.administrators.length === 0
      ? el("p", { class: "muted" }, "None but you.")
      : el("ul", {}, detail.administrators.map((name) => el("li", {}, name))),
    tools(
      button("Change administrators", () =>
        formDialog(
          `Administrators of ${detail.name}`,
          [{
            name: "accounts",
            label: "Accounts, one on a line",
            type: "textarea",
            rows: 4,
            value: detail.administrators.join("\n"),
          }],
          "Save",
          async ({ accounts }) => {
            await makeCall(adminCalls, "DomainAdministratorsSet", {
              name: detail.name,
              accounts: accounts.split("\n").map((a) => a.trim()).filter((a) => a !== ""),
            });
            await changed();
          },
        )),
    ),
  );
}

function remove(detail: DomainDetail): void {
  attempt(async () => {
    const yes = await confirmDialog(
      `Remove ${detail.name}`,
      "Mail for the domain is refused for good from then on. Accounts and their mail stay; its DKIM keys " +
        "are removed from the configuration.",
      "Remove",
      { danger: true },
    );
    if (!yes) return;
    await makeCall(adminCalls, "DomainRemove", { name: detail.name });
    notice(`${detail.name} is removed.`);
    location.hash = "#domains";
  });
}

function settings(detail: DomainDetail, changed: () => Promise<void>): void {
  formDialog(
    `Settings of ${detail.name}`,
    [
      { name: "description", label: "Description", value: detail.description },
      {
        name: "clientSettingsDomain",
        label: "Host in the settings of mail programs",
        value: detail.clientSettingsDomain,
        placeholder: `mail.${detail.name}`,
        explanation: "Empty for the host's own name.",
      },
      {
        name: "separators",
        label: "Separators",
        value: detail.separators.join(" "),
        explanation: "With +, mail to you+shop@ goes to you@. Several with blanks between them.",
      },
      {
        name: "caseSensitive",
        label: "Tell upper from lower case before the @",
        value: detail.caseSensitive,
        type: "checkbox",
      },
    ],
    "Save",
    async (f) => {
      await makeCall(adminCalls, "DomainSet", {
        name: detail.name,
        description: f.description.trim(),
        clientSettingsDomain: f.clientSettingsDomain.trim(),
        separators: f.separators.split(/\s+/).filter((s) => s !== ""),
        caseSensitive: f.caseSensitive !== "",
      });
      await changed();
    },
  );
}

/** Shows what would be written into the zone; the server's administrator can have it written. */
function writeRecords(name: string, whole: boolean): void {
  void attempt(async () => {
    const plan = await makeCall(adminCalls, "DnsPlan", { name });
    const lines = [
      ...plan.remove.map((r) => `- ${r}`),
      ...plan.add.map((r) => `+ ${r}`),
      ...plan.elsewhere.map((r) => `? ${r}`),
    ];
    const count = plan.remove.length + plan.add.length;
    const text = count === 0
      ? plan.elsewhere.length === 0
        ? "The zone has all records."
        : `Nobody writes these records: ${lines.join("\n")}`
      : `What is removed (-), added (+), and not written by anybody (?):\n${lines.join("\n")}`;
    const yes = await confirmDialog(
      `Records of ${name}`,
      text,
      count > 0 && whole ? "Write" : "Close",
    );
    if (!yes || count === 0 || !whole) return;
    const { late } = await makeCall(adminCalls, "DnsWrite", { name });
    notice(
      late.length === 0
        ? "Records are written, and seen in the DNS."
        : `Written, and not seen yet: ${late.join("; ")}`,
    );
  });
}

function dns(detail: DomainDetail, whole: boolean): HTMLElement {
  const check = el("div", { role: "status", class: "checks" });
  const needed = detail.records.filter((r) => !r.optional).length;
  const record = (r: DomainDetail["records"][number]) => [
    el("code", {}, r.name),
    r.type,
    el("code", { class: "data" }, r.data),
    copyButton(r.data, `Copy the data of ${r.type} ${r.name}`),
  ];
  const comments = [...new Set(detail.records.map((r) => r.comment))];
  return part(
    "DNS records",
    lead(
      `${needed} records that the zone of the domain needs, and ${
        detail.records.length - needed
      } that are of use.`,
    ),
    tools(
      button("Check DNS", () => runCheck(detail.name, check), {
        primary: true,
        title: "Compares what the DNS has with what it should have",
      }),
      button("Write records", () => writeRecords(detail.name, whole), {
        title: "Writes what is missing into the zone, where DNSProviders of mox.conf have it",
      }),
      copyButton(detail.zone, "Copy all records, as a part of a zone file"),
    ),
    check,
    el(
      "details",
      {},
      el("summary", {}, "Each record"),
      comments.map((comment) =>
        el(
          "div",
          { class: "records" },
          el(
            "p",
            {},
            comment,
            detail.records.find((r) => r.comment === comment)!.optional
              ? el("span", { class: "label" }, "optional")
              : null,
          ),
          table(
            ["Name", "Type", "Data", { text: "Copy", unseen: true }],
            detail.records.filter((r) => r.comment === comment).map(record),
            "",
          ),
        )
      ),
    ),
    el(
      "details",
      {},
      el("summary", {}, "As a part of a zone file"),
      el("pre", { tabindex: 0, role: "region", "aria-label": "DNS records" }, detail.zone),
    ),
  );
}

const stateText = { ok: "fine", warning: "worth a look", error: "wrong", skipped: "not checked" };
const order = ["error", "warning", "ok", "skipped"];

async function runCheck(name: string, into: HTMLElement): Promise<void> {
  fill(into, el("p", { class: "muted" }, "Looking at the DNS…"));
  try {
    const { parts } = await makeCall(adminCalls, "DomainCheck", { name });
    const bad = parts.filter((p) => p.state === "error").length;
    fill(
      into,
      el(
        "p",
        { class: bad === 0 ? "good" : "bad" },
        bad === 0 ? "Nothing is wrong." : `${bad} of ${parts.length} are wrong.`,
      ),
      parts.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).map(checkPart),
      tools(button("Close", () => fill(into), { attributes: { class: "quiet" } })),
    );
  } catch (e) {
    fill(into, el("p", { class: "error" }, errorText(e)));
  }
}

function checkPart(p: CheckPart): HTMLElement {
  const more = p.findings.length + p.found.length + p.fix.length > 0;
  const head = [
    el("span", { class: `dot state-${p.state}`, "aria-hidden": "true" }, "●"),
    el("span", {}, p.name),
    el("span", { class: `state-${p.state}` }, stateText[p.state]),
  ];
  if (!more) return el("div", { class: "check-part" }, el("p", {}, head));
  return el(
    "details",
    { class: "check-part", open: p.state === "error" || p.state === "warning" },
    el("summary", {}, head),
    p.findings.map((f) => el("p", { class: `state-${f.level}` }, f.text)),
    p.fix.length === 0 ? null : [
      el("p", { class: "muted" }, "What to do:"),
      p.fix.map((f) => el("div", { class: "fix" }, el("pre", { tabindex: 0 }, f), copyButton(f))),
    ],
    p.found.length === 0 ? null : [
      el("p", { class: "muted" }, "What the DNS has:"),
      el("pre", { tabindex: 0 }, p.found.join("\n")),
    ],
  );
}

function keys(detail: DomainDetail, changed: () => Promise<void>): HTMLElement {
  const then = (run: () => Promise<unknown>) =>
    attempt(async () => {
      await run();
      await changed();
    });
  const sign = (selector: string, on: boolean) =>
    then(() => makeCall(adminCalls, "DkimSign", { name: detail.name, selector, sign: on }));
  return part(
    "DKIM keys",
    lead(
      "Change keys makes new ones, publishes them or tells the postmaster what to publish, lets them sign once they are seen, " +
        "and withdraws the old ones a week later. The steps can be done by hand, too.",
    ),
    table(
      ["Selector", "State", "File", { text: "Actions", unseen: true }],
      detail.dkim.map((k) => [
        k.selector,
        k.signs ? el("span", { class: "good" }, "signs") : "does not sign",
        el("code", {}, k.file),
        [
          button(k.signs ? "Stop signing" : "Sign with it", () => sign(k.selector, !k.signs)),
          k.signs ? null : button("Remove", () =>
            then(async () => {
              const yes = await confirmDialog(
                `Remove the key ${k.selector}`,
                "Messages that were signed with it can be verified as long as its record is in the DNS. " +
                  "The file stays.",
                "Remove",
                { danger: true },
              );
              if (yes) {
                await makeCall(adminCalls, "DkimRemove", {
                  name: detail.name,
                  selector: k.selector,
                });
              }
            }), { danger: true }),
        ],
      ]),
      "There are none: messages are not signed.",
    ),
    tools(
      button("Change keys", () =>
        then(async () => {
          const { selectors } = await makeCall(adminCalls, "DkimRotate", { name: detail.name });
          notice(`New keys: ${selectors.join(", ")}. The postmaster hears of each step.`);
        })),
      button("Add key", () =>
        formDialog(
          "Add DKIM key",
          [
            {
              name: "selector",
              label: "Selector",
              required: true,
              value: `${new Date().getFullYear()}${String.fromCharCode(97 + detail.dkim.length)}`,
            },
            {
              name: "algorithm",
              label: "Algorithm",
              options: [
                { value: "rsa2048", text: "RSA, 2048 bits: all verifiers know it" },
                { value: "ed25519", text: "Ed25519: short, for newer verifiers" },
              ],
            },
          ],
          "Add",
          async ({ selector, algorithm }) => {
            await makeCall(adminCalls, "DkimAdd", {
              name: detail.name,
              selector,
              algorithm: algorithm === "ed25519" ? algorithm : "rsa2048",
            });
            await changed();
          },
        )),
    ),
  );
}

function policies(detail: DomainDetail, changed: () => Promise<void>): HTMLElement {
  const to = (r: DomainDetail["dmarc"]) =>
    r === null
      ? el("span", { class: "muted" }, "not asked for")
      : [`${r.address}, to account `, el("a", { href: hrefOf("accounts", r.account) }, r.account)];
  const setMode = (mode: "none" | "testing" | "enforce") =>
    attempt(async () => {
      await makeCall(adminCalls, "DomainMtaSts", { name: detail.name, mode });
      notice("The policy has a new id: put the new record into the DNS.");
      await changed();
    });
  const modes = button("Change MTA-STS mode", () => {
    const item = (mode: "none" | "testing" | "enforce", text: string) => ({
      text,
      checked: detail.mtasts?.mode === mode,
      run: () => setMode(mode),
    });
    openMenu(modes, [
      item("enforce", "enforce: deliver with verified TLS or not at all"),
      item("testing", "testing: report what would have failed"),
      item("none", "none: take the policy back"),
    ], "MTA-STS mode");
  });
  return part(
    "Policies and reports",
    facts([
      ["DMARC reports", to(detail.dmarc)],
      ["TLS reports", to(detail.tlsrpt)],
      [
        "MTA-STS",
        detail.mtasts === null
          ? el("span", { class: "muted" }, "none")
          : `${detail.mtasts.mode}, id ${detail.mtasts.policyId}, kept for ${detail.mtasts.maxAge}` +
            (detail.mtasts.mx.length === 0 ? "" : `, hosts ${detail.mtasts.mx.join(", ")}`),
      ],
    ]),
    detail.mtasts === null ? null : tools(modes),
  );
}
