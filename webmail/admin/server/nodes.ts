/** The nodes that accounts are spread over: the state of each, and accounts that are moving. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { numberText, sizeText } from "../../lib/format.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { AdminNode } from "../api/nodes.ts";
import { fromNow } from "../dates.ts";

export function nodeSection(changed: () => Promise<void>): Section {
  return { id: "nodes", title: "Nodes", show: () => show(changed), every: 10_000 };
}

function stateOf(node: AdminNode): HTMLElement {
  if (node.error !== "") return el("span", { class: "bad" }, node.error);
  const parts: string[] = [];
  if (node.health !== "ok") parts.push(node.health === "critical" ? "critical" : "has warnings");
  if (node.edited) parts.push("domains.conf edited, not pushed");
  else if (node.behind) parts.push("domains.conf behind");
  if (node.standby === "away") parts.push("standby does not follow");
  return parts.length === 0
    ? el("span", { class: "good" }, node.standby === "follows" ? "well, standby follows" : "well")
    : el("span", { class: node.health === "critical" ? "bad" : "state-warning" }, parts.join(", "));
}

async function show(changed: () => Promise<void>): Promise<View | HTMLElement[]> {
  const { nodes, moves } = await makeCall(adminCalls, "Nodes", {});
  if (nodes.length === 0) {
    return [
      lead("This server is alone. Nodes of domains.conf spread accounts over several servers."),
    ];
  }
  const known = (n: AdminNode, text: string) => n.error === "" ? text : "";
  return {
    heading: "Nodes",
    actions: tools(
      button("Give domains.conf to all nodes", () => attempt(() => push(changed))),
      button("Move an account", () => move(nodes, changed)),
    ),
    content: [
      lead(
        "Accounts are spread over these servers. Each shows its own queue, reports and storage on its own admin page.",
      ),
      table(
        [
          "Node",
          "Address",
          "State",
          "Program",
          { text: "Accounts", number: true },
          { text: "In the queue", number: true },
          { text: "Free", number: true },
          { text: "Version of domains.conf", number: true },
        ],
        nodes.map((n) => [
          n.own ? el("strong", {}, `${n.name} (this one)`) : n.name,
          n.address,
          stateOf(n),
          known(n, n.program),
          known(n, numberText(n.accounts)),
          known(n, numberText(n.queue)),
          known(n, sizeText(n.free)),
          known(n, String(n.version)),
        ]),
        "There are none.",
      ),
      part(
        "Accounts that are being moved from here",
        table(
          ["Account", "To", "Since", "State", { text: "Cancel", unseen: true }],
          moves.map((m) => [
            m.account,
            m.to,
            fromNow(m.begun),
            m.error !== ""
              ? el("span", { class: "bad" }, m.error)
              : m.decided
              ? "the other node takes it"
              : "is copied",
            m.decided ? "" : button("Cancel", () =>
              attempt(async () => {
                await makeCall(adminCalls, "NodeMoveCancel", { account: m.account });
                await changed();
              })),
          ]),
          "None.",
        ),
      ),
    ],
  };
}

async function push(changed: () => Promise<void>): Promise<void> {
  const { nodes } = await makeCall(adminCalls, "NodesPush", {});
  const failed = nodes.filter((n) => n.error !== "");
  if (failed.length === 0) notice("All nodes have it.");
  else throw new Error(failed.map((n) => `${n.name}: ${n.error}`).join("; "));
  await changed();
}

function move(nodes: readonly AdminNode[], changed: () => Promise<void>): void {
  formDialog(
    "Move an account to another node",
    [
      { name: "account", label: "Account", required: true, explanation: "One of this node's." },
      {
        name: "node",
        label: "Node",
        options: nodes.filter((n) => !n.own).map((n) => n.name),
        explanation:
          "The account is copied while it is used; then its sessions end, and go on at that node.",
      },
    ],
    "Move",
    async ({ account, node }) => {
      await makeCall(adminCalls, "NodeMove", { account, node });
      await changed();
    },
  );
}
