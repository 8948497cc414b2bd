/** Imports the Sieve scripts of another server's users. @module */
import { makeCall } from "../../api/client.ts";
import { el, field } from "../../lib/dom.ts";
import { numberText } from "../../lib/format.ts";
import { lead, part, shortened } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { takingOver } from "./taking_over.ts";

const input = (placeholder: string) =>
  el("input", { type: "text", placeholder, autocomplete: "off", spellcheck: "false" });

const counted = (n: number) => n === 1 ? "1 script" : `${numberText(n)} scripts`;

/** This part of the section. */
export function scriptsPart(): HTMLElement {
  const home = input("/var/vmail/%d/%n");
  const sievedir = input("/var/spool/sieve");
  const spool = input("/var/spool/cyrus/mail");
  const domain = input("example.org");
  const replace = el("input", { type: "checkbox" });
  const { buttons, view } = takingOver(async (dryRun) => {
    const r = await makeCall(adminCalls, "MoveScripts", {
      home: home.value.trim(),
      sievedir: sievedir.value.trim(),
      spool: spool.value.trim(),
      domain: domain.value.trim(),
      replace: replace.checked,
      accounts: [],
      dryRun,
    });
    const done = dryRun ? "would be taken over" : "taken over";
    const not = r.failed === 0 ? "" : `; ${numberText(r.failed)} can't be`;
    return [
      el("h3", {}, `${counted(r.stored)} ${done}${not}`),
      shortened(r.lines, (some) => el("ul", {}, some.map((line) => el("li", {}, line)))),
    ];
  });
  return part(
    "Sieve scripts",
    lead(
      "From folders of this machine that the server may read. What is here stays, and so does the script that is " +
        "active; one with errors is told. Give the homes of Dovecot's users, or the folder of scripts of Cyrus.",
    ),
    el(
      "div",
      { class: "stacked" },
      field(
        "Homes (Dovecot): %u for the address, %n for what is before the @, %d for the domain",
        home,
      ),
      field("Folder of scripts (Cyrus)", sievedir),
      field("Partition of mail (Cyrus 3.6, which has scripts there)", spool),
      field("Domain of users without one (Cyrus)", domain),
      el("label", { class: "checkbox" }, replace, "Also scripts whose names are taken here"),
      buttons,
      view,
    ),
  );
}
