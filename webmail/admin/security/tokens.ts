/** API tokens for programs. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmation, confirmFields } from "../../lib/confirm.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, part, secretDialog, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";

export function tokenSection(changed: () => Promise<void>): Section {
  return { id: "tokens", title: "API tokens", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { tokens, scopes, secondFactor } = await makeCall(adminCalls, "Tokens", {});
  const remove = (id: number, name: string) =>
    attempt(async () => {
      const yes = await confirmDialog(
        `Withdraw ${name}`,
        "Programs that use the token are refused from then on.",
        "Withdraw",
        { danger: true },
      );
      if (!yes) return;
      await makeCall(adminCalls, "TokenRemove", { id });
      await changed();
    });
  return {
    heading: "API tokens",
    actions: button("Make token", () => add(scopes, secondFactor, changed), { primary: true }),
    content: part(
      "Programs that administer",
      lead(
        "What this page does, programs can do with a token: ",
        el("a", { href: "api/", target: "_blank" }, "the calls"),
        ".",
      ),
      table(
        ["Name", "May", "Domains", "Until", "Last used", { text: "Actions", unseen: true }],
        tokens.map((t) => [
          t.name,
          t.scopes.join(", "),
          t.domains.length === 0 ? "all" : t.domains.join(", "),
          t.expires < Date.now()
            ? el("span", { class: "state-warning" }, `expired ${date(t.expires)}`)
            : date(t.expires),
          t.lastUsed === 0 ? "never" : `${date(t.lastUsed)} from ${t.lastIp}`,
          button("Withdraw", () => remove(t.id, t.name), {
            danger: true,
            attributes: { "aria-label": `Withdraw ${t.name}` },
          }),
        ]),
        "There are none.",
      ),
    ),
  };
}

const words = (text: string) => text.split(/[\s,]+/).filter((w) => w !== "");

function add(
  scopes: readonly string[],
  secondFactor: boolean,
  changed: () => Promise<void>,
): void {
  formDialog(
    "Make token",
    [
      { name: "name", label: "Name", required: true, placeholder: "the program that uses it" },
      {
        name: "scopes",
        label: "Scopes",
        required: true,
        value: "domains:write accounts:write",
        explanation: `With blanks between them; write includes read. There are: ${
          scopes.join(" ")
        }.`,
      },
      {
        name: "domains",
        label: "Domains",
        explanation: "Empty for the whole server. With domains, only these and their accounts.",
      },
      { name: "days", label: "Good for days", type: "number", min: 1, value: "90", required: true },
      ...confirmFields(secondFactor),
    ],
    "Make",
    async (f) => {
      const { token } = await makeCall(adminCalls, "TokenAdd", {
        name: f.name.trim(),
        scopes: words(f.scopes),
        domains: words(f.domains),
        days: Number(f.days),
        ...confirmation(f),
      });
      await changed();
      secretDialog("Token made", `Token of ${f.name.trim()}, shown this once:`, token);
    },
  );
}
