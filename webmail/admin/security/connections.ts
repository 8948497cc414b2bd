/** Open connections. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { countText } from "../../lib/format.ts";
import { lead, table } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import { fromNow } from "../dates.ts";

export function connectionSection(changed: () => Promise<void>): Section {
  return { id: "connections", title: "Connections", show: () => show(changed), every: 30_000 };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { connections, counts } = await makeCall(adminCalls, "Connections", {});
  const total = counts.reduce((n, c) => n + c.count, 0);
  return {
    heading: "Connections",
    actions: button("Refresh", changed),
    content: [
      lead(
        `${countText(total, "connection")} open`,
        counts.length === 0
          ? "."
          : `: ${counts.map((c) => `${c.count} ${c.protocol}`).join(", ")}.`,
        " The id is in the lines of the log.",
      ),
      table(
        ["Protocol", "From", { text: "Port", number: true }, "Since", "Id"],
        connections.map((c) => [
          c.protocol,
          c.remoteIp,
          String(c.port),
          fromNow(c.since),
          el("code", {}, c.cid),
        ]),
        "None is open.",
      ),
      connections.length < total ? lead(`The newest ${connections.length}.`) : null,
    ],
  };
}
