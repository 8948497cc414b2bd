/** Aliases of a domain: addresses whose mail goes to several accounts. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, type FormField, lead, part, table, tools } from "../../lib/page.ts";
import type { Alias, DomainDetail } from "../api/domains.ts";
import { adminCalls } from "../api/mod.ts";

export function aliasPart(detail: DomainDetail, changed: () => Promise<void>): HTMLElement {
  const options = (alias: Alias) =>
    [
      alias.postPublic ? "anybody may post" : "members may post",
      ...alias.listMembers ? ["members see each other"] : [],
      ...alias.allowMsgFrom ? ["members may send as it"] : [],
    ].map((t) => el("li", {}, t));
  return part(
    "Aliases",
    lead("Addresses whose mail goes to several accounts, as a list does."),
    table(
      ["Address", "Members", "Options", { text: "Actions", unseen: true }],
      detail.aliases.map((a) => [
        `${a.localpart}@${detail.name}`,
        el("ul", {}, a.members.map((m) => el("li", {}, m))),
        el("ul", {}, options(a)),
        [
          button("Edit", () => edit(detail, a, changed)),
          button("Remove", () =>
            attempt(async () => {
              const address = `${a.localpart}@${detail.name}`;
              const yes = await confirmDialog(
                `Remove ${address}`,
                "Mail to it is refused from then on. Its members keep their accounts.",
                "Remove",
                { danger: true },
              );
              if (!yes) return;
              await makeCall(adminCalls, "AliasRemove", { address });
              await changed();
            }), { danger: true }),
        ],
      ]),
      "There are none.",
    ),
    tools(button("Add alias", () => edit(detail, undefined, changed))),
  );
}

function edit(detail: DomainDetail, alias: Alias | undefined, changed: () => Promise<void>): void {
  const fields: FormField[] = [
    ...alias === undefined
      ? [{ name: "localpart", label: `Address before @${detail.name}`, required: true }]
      : [],
    {
      name: "members",
      label: "Members",
      type: "textarea",
      required: true,
      value: alias?.members.join("\n"),
      explanation: "Addresses of accounts here, one on each line.",
    },
    {
      name: "postPublic",
      label: "Anybody may post",
      type: "checkbox",
      value: alias?.postPublic,
      explanation: "Otherwise only members, as told from a verified From address.",
    },
    {
      name: "listMembers",
      label: "Members see each other",
      type: "checkbox",
      value: alias?.listMembers,
    },
    {
      name: "allowMsgFrom",
      label: "Members may send as it",
      type: "checkbox",
      value: alias?.allowMsgFrom,
    },
  ];
  formDialog(
    alias === undefined ? "Add alias" : `Alias ${alias.localpart}@${detail.name}`,
    fields,
    alias === undefined ? "Add" : "Save",
    async (f) => {
      await makeCall(adminCalls, alias === undefined ? "AliasAdd" : "AliasSet", {
        address: `${alias?.localpart ?? f.localpart}@${detail.name}`,
        members: f.members.split(/[\s,]+/).filter((m) => m !== ""),
        postPublic: f.postPublic !== "",
        listMembers: f.listMembers !== "",
        allowMsgFrom: f.allowMsgFrom !== "",
      });
      await changed();
    },
  );
}
