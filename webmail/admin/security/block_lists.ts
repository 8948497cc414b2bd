/** Block lists (DNSBL) in which the host's addresses are looked up. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { formDialog, lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";

export function blockListSection(changed: () => Promise<void>): Section {
  return { id: "blocklists", title: "Block lists", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { monitored, found } = await makeCall(adminCalls, "BlockLists", {});
  return {
    heading: "Block lists",
    actions: button("Set lists to watch", () => watch(monitored, changed)),
    content: [
      lead("DNS lists in which the addresses of this host are looked up, as other servers do."),
      found === null ? lead("There is no DNS here, so no list is asked.") : table(
        ["Address", "List", "State", "What it says"],
        found.map((d) => [
          d.ip,
          d.zone,
          el(
            "span",
            { class: d.status === "pass" ? "good" : "bad" },
            d.status === "pass" ? "not listed" : d.status === "fail" ? "listed" : "can't tell",
          ),
          d.text,
        ]),
        "No list is set, or the host's public addresses are not known.",
      ),
    ],
  };
}

function watch(monitored: readonly string[], changed: () => Promise<void>): void {
  formDialog(
    "Lists to watch",
    [{
      name: "zones",
      label: "Zones",
      type: "textarea",
      value: monitored.join("\n"),
      placeholder: "bl.example.org",
      explanation: "One on each line. Those that incoming mail is judged by are looked up anyway.",
    }],
    "Save",
    async ({ zones }) => {
      const list = zones.split(/[\s,]+/).filter((z) => z !== "");
      await makeCall(adminCalls, "BlockListsSet", { zones: list });
      await changed();
    },
  );
}
