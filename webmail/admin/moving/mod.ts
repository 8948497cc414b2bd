/** Moving in from another server: users, aliases, and the mail of many accounts. @module */
import { makeCall } from "../../api/client.ts";
import { el, field } from "../../lib/dom.ts";
import type { Section } from "../../lib/frame.ts";
import { numberText } from "../../lib/format.ts";
import { lead, part, shortened, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { ListResult } from "../api/moving.ts";
import { mailPart } from "./mail.ts";
import { scriptsPart } from "./scripts.ts";
import { takingOver } from "./taking_over.ts";

export function movingSection(): Section {
  return {
    id: "moving",
    title: "Move in",
    show: async () => ({
      heading: "Move in from another server",
      content: [usersPart(), aliasesPart(), await mailPart(), scriptsPart()],
    }),
  };
}

/** A form for a list: typed, pasted or from a file; tried first, then imported. */
function listForm(o: {
  label: string;
  rows: string;
  fields: Node[];
  send(text: string, dryRun: boolean): Promise<ListResult>;
  title: (result: ListResult, dryRun: boolean) => string;
}): HTMLElement {
  const area = el("textarea", { rows: 8, class: "code", spellcheck: "false", placeholder: o.rows });
  const file = el("input", {
    type: "file",
    onchange: async () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) area.value = await chosen.text();
    },
  });
  const { buttons, view } = takingOver(async (dryRun) => {
    const r = await o.send(area.value, dryRun);
    return [el("h3", {}, o.title(r, dryRun)), ...resultOf(r)];
  });
  return el(
    "div",
    { class: "stacked" },
    field(o.label, area),
    field("Or from a file", file),
    o.fields,
    buttons,
    view,
  );
}

function resultOf(result: ListResult): HTMLElement[] {
  const lines = (list: readonly string[]) =>
    shortened(list, (some) => el("ul", {}, some.map((c) => el("li", {}, c))));
  return [
    ...result.problems.length === 0 ? [] : [
      shortened(result.problems, (some) =>
        table(
          [{ text: "Line", number: true }, "Not taken over"],
          some.map((p) => [p.line === 0 ? "" : String(p.line), p.message]),
          "",
        )),
    ],
    ...result.changes.length === 0 ? [] : [lines(result.changes)],
    ...result.notes.length === 0 ? [] : [lines(result.notes)],
  ];
}

const counted = (n: number, one: string, more: string) =>
  n === 1 ? `1 ${one}` : `${numberText(n)} ${more}`;

function titleOf(result: ListResult, dryRun: boolean): string {
  const changes = counted(result.changes.length, "change", "changes");
  const problems = result.problems.length === 0
    ? ""
    : `; ${counted(result.problems.length, "line", "lines")} with a problem`;
  return `${changes} ${dryRun ? "would be made" : "made"}${problems}`;
}

function usersPart(): HTMLElement {
  const format = el(
    "select",
    {},
    [["", "what it looks like"], ["passwd", "passwd-file"], ["csv", "CSV"], ["json", "JSON"]].map(
      ([value, text]) => el("option", { value }, text),
    ),
  );
  const domain = el("input", { type: "text", placeholder: "example.org", autocomplete: "off" });
  const replace = el("input", { type: "checkbox" });
  return part(
    "Users",
    lead(
      "A passwd-file of Dovecot or docker-mailserver, /etc/shadow, CSV or JSON. Domains, accounts and addresses that " +
        "are missing are made; hashes of passwords let in at once, and are replaced at the first login. What is " +
        "there stays, so a list can be taken over again.",
    ),
    listForm({
      label: "List of users",
      rows: "ann@example.org:{SHA512-CRYPT}$6$…",
      fields: [
        field("Format", format),
        field("Domain of users without one", domain),
        el("label", { class: "checkbox" }, replace, "Also set passwords of accounts that have one"),
      ],
      send: (text, dryRun) =>
        makeCall(adminCalls, "MoveUsers", {
          text,
          format: format.value as "" | "passwd" | "csv" | "json",
          domain: domain.value.trim(),
          replacePasswords: replace.checked,
          dryRun,
        }),
      title: (r, dryRun) =>
        titleOf(r, dryRun) +
        (dryRun || r.passwords === 0
          ? ""
          : `; ${counted(r.passwords, "password", "passwords")} set`),
    }),
  );
}

function aliasesPart(): HTMLElement {
  const domain = el("input", { type: "text", placeholder: "example.org", autocomplete: "off" });
  return part(
    "Aliases",
    lead(
      "A table of Postfix (virtual_alias_maps, /etc/aliases), after the users. One that leads to one account becomes " +
        "an address of it, one to several or to other servers an alias; @domain a catch-all.",
    ),
    listForm({
      label: "Table of aliases",
      rows: "info@example.org ann@example.org, bob@example.org",
      fields: [field("Domain of names without one", domain)],
      send: (text, dryRun) =>
        makeCall(adminCalls, "MoveAliases", { text, domain: domain.value.trim(), dryRun }),
      title: titleOf,
    }),
  );
}
