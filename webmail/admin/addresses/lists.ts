/** Mailing lists of a domain: settings, members, held messages. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, type FormField, lead, part, table, tools } from "../../lib/page.ts";
import type { ListSettings, ListShown } from "../api/lists.ts";
import { adminCalls } from "../api/mod.ts";
import { date } from "../dates.ts";

const words = (text: string) => text.split(/[\s,]+/).filter((w) => w !== "");

export async function listPart(
  domain: string,
  changed: () => Promise<void>,
): Promise<HTMLElement> {
  const { lists } = await makeCall(adminCalls, "Lists", { domain });
  return part(
    "Mailing lists",
    lead("Addresses that people subscribe to by themselves, by mail or on the pages of lists."),
    table(
      ["Address", "Members", "Held", "Settings", { text: "Actions", unseen: true }],
      lists.map((l) => [
        l.address,
        String(l.members),
        String(l.held),
        el("ul", {}, summary(l.settings).map((t) => el("li", {}, t))),
        [
          button("Edit", () => edit(domain, l, changed)),
          button("Add members", () => addMembers(l, changed)),
          button("Remove members", () => removeMembers(l, changed)),
          button("Held", () => attempt(() => held(l, changed))),
          button("Remove", () => remove(l, changed), { danger: true }),
        ],
      ]),
      "There are none.",
    ),
    tools(button("Add mailing list", () => edit(domain, undefined, changed))),
  );
}

function summary(settings: ListSettings): string[] {
  return [
    `written to by ${settings.posting}${settings.moderated ? ", moderated" : ""}`,
    `others: ${settings.others}`,
    `subscribing: ${settings.subscribing}`,
    `archive: ${settings.archive}`,
    `owners: ${settings.owners.join(", ")}`,
  ];
}

function remove(shown: ListShown, changed: () => Promise<void>): void {
  void attempt(async () => {
    const yes = await confirmDialog(
      `Remove ${shown.address}`,
      "Its members and its archive are deleted.",
      "Remove",
      { danger: true },
    );
    if (!yes) return;
    await makeCall(adminCalls, "ListRemove", { address: shown.address });
    await changed();
  });
}

function addMembers(shown: ListShown, changed: () => Promise<void>): void {
  formDialog(
    `Add members to ${shown.address}`,
    [{
      name: "members",
      label: "Addresses",
      type: "textarea",
      required: true,
      explanation: "One on each line. They are not asked, and get no message about it.",
    }],
    "Add",
    async (f) => {
      const members = words(f.members);
      await makeCall(adminCalls, "ListMembersAdd", { address: shown.address, members });
      await changed();
    },
  );
}

function removeMembers(shown: ListShown, changed: () => Promise<void>): void {
  formDialog(
    `Remove members of ${shown.address}`,
    [{ name: "members", label: "Addresses", type: "textarea", required: true }],
    "Remove members",
    async (f) => {
      const members = words(f.members);
      await makeCall(adminCalls, "ListMembersRemove", { address: shown.address, members });
      await changed();
    },
  );
}

async function held(shown: ListShown, changed: () => Promise<void>): Promise<void> {
  const { held } = await makeCall(adminCalls, "ListHeld", { address: shown.address });
  const fields: FormField[] = [
    {
      name: "id",
      label: "Number",
      type: "number",
      min: 1,
      required: true,
      explanation: held.length === 0
        ? "Nothing is held."
        : held.map((h) => `${h.id}: ${h.author}, “${h.subject}”, ${date(h.received)} (${h.reason})`)
          .join("; "),
    },
    {
      name: "verdict",
      label: "Decision",
      value: "approve",
      options: [
        { value: "approve", text: "send it to the members" },
        { value: "reject", text: "delete it, and tell its author" },
        { value: "discard", text: "delete it" },
      ],
    },
  ];
  formDialog(`Held for ${shown.address}`, fields, "Decide", async (f) => {
    const verdict = f.verdict as "approve" | "reject" | "discard";
    await makeCall(adminCalls, "ListDecide", { address: shown.address, id: Number(f.id), verdict });
    await changed();
  });
}

function edit(domain: string, shown: ListShown | undefined, changed: () => Promise<void>): void {
  const s = shown?.settings;
  const choice = (
    name: string,
    label: string,
    value: string,
    options: readonly string[],
  ): FormField => ({ name, label, value, options });
  const box = (name: string, label: string, value: boolean | undefined): FormField => ({
    name,
    label,
    type: "checkbox",
    value,
  });
  const fields: FormField[] = [
    ...shown === undefined
      ? [{ name: "localpart", label: `Address before @${domain}`, required: true }]
      : [],
    { name: "name", label: "Name", value: s?.name },
    { name: "description", label: "Description", value: s?.description },
    {
      name: "owners",
      label: "Owners",
      type: "textarea",
      required: true,
      value: s?.owners.join("\n"),
      explanation: "Addresses, one on each line.",
    },
    choice("posting", "Written to by", s?.posting ?? "members", ["members", "anyone", "owners"]),
    choice("others", "Messages of others", s?.others ?? "hold", ["hold", "refuse"]),
    box("moderated", "Hold messages of members too", s?.moderated),
    choice("subscribing", "Subscribing", s?.subscribing ?? "open", ["open", "approve", "closed"]),
    choice("archive", "Archive read by", s?.archive ?? "members", ["members", "public", "none"]),
    choice("from", "List in place of author", s?.from ?? "dmarc", ["dmarc", "always", "never"]),
    box("replyToList", "Answers go to the list", s?.replyToList),
    { name: "subjectPrefix", label: "Prefix of subjects", value: s?.subjectPrefix },
    box("unlisted", "Not on the page with all lists", s?.unlisted),
  ];
  formDialog(
    shown === undefined ? "Add mailing list" : `Mailing list ${shown.address}`,
    fields,
    shown === undefined ? "Add" : "Save",
    async (f) => {
      await makeCall(adminCalls, shown === undefined ? "ListAdd" : "ListSet", {
        address: shown?.address ?? `${f.localpart}@${domain}`,
        settings: {
          name: f.name,
          description: f.description,
          owners: words(f.owners),
          posting: f.posting as ListSettings["posting"],
          others: f.others as ListSettings["others"],
          moderated: f.moderated !== "",
          subscribing: f.subscribing as ListSettings["subscribing"],
          archive: f.archive as ListSettings["archive"],
          from: f.from as ListSettings["from"],
          replyToList: f.replyToList !== "",
          subjectPrefix: f.subjectPrefix,
          maxMessageSize: s?.maxMessageSize ?? 10_485_760,
          unlisted: f.unlisted !== "",
        },
      });
      await changed();
    },
  );
}
