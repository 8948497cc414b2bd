/** One message: its head, and tabs with everything about it. @module */
import { type Child, el } from "../lib/dom.ts";
import { sizeText } from "../lib/format.ts";
import { type Address, api, type Message, type PartNode, partPath, rawPath } from "./api.ts";
import { checks, links } from "./checks.ts";
import { preview } from "./preview.ts";
import { type Tab, tabs } from "./tabs.ts";

/** Characters of the source that are shown; the rest is in the file. */
const maxShown = 500_000;

export const addressText = (a: Address | null) =>
  a === null ? "nobody" : a.Name === "" ? a.Address : `${a.Name} <${a.Address}>`;

const code = (text: string): HTMLElement => {
  const cut = text.length > maxShown;
  return el(
    "div",
    {},
    cut ? el("p", { class: "soft" }, "The beginning; all of it is in the file.") : null,
    el("pre", { tabindex: 0 }, cut ? text.slice(0, maxShown) : text),
  );
};

function row(name: string, value: Child): Child {
  return value === "" || value === null || value === undefined
    ? null
    : [el("dt", {}, name), el("dd", {}, value)];
}

const list = (addresses: readonly Address[]) => addresses.map(addressText).join(", ");

/** What MAIL FROM and RCPT TO said, which may differ from the header. */
function envelope(message: Message): Child {
  const e = message.Envelope;
  if (e === null) return null;
  const how = [
    `EHLO ${e.Helo}`,
    `from ${e.RemoteIP}`,
    e.TLS === "" ? "without TLS" : e.TLS,
    e.Username === "" ? "no login" : `login ${e.Username}`,
    ...e.Parameters,
  ];
  return el(
    "details",
    {},
    el(
      "summary",
      {},
      `Envelope: ${e.From === "" ? "<>" : e.From} to ${e.To.map((t) => t.Address).join(", ")}`,
    ),
    el("p", { class: "soft" }, how.join(" · ")),
    e.To.some((t) => t.Notify !== undefined)
      ? el(
        "p",
        { class: "soft" },
        e.To.filter((t) => t.Notify !== undefined).map((t) => `${t.Address}: NOTIFY=${t.Notify}`)
          .join(" · "),
      )
      : null,
  );
}

function headerTable(fields: Record<string, string[]>): HTMLElement {
  return el(
    "table",
    { class: "headers" },
    el(
      "thead",
      {},
      el("tr", {}, ["Field", "Value"].map((h) => el("th", { scope: "col" }, h))),
    ),
    el(
      "tbody",
      {},
      Object.entries(fields).flatMap(([name, values]) =>
        values.map((value) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)))
      ),
    ),
  );
}

function partItem(id: string, node: PartNode): HTMLElement {
  const details = [
    node.Charset,
    node.Encoding,
    node.Disposition,
    node.ContentID === "" ? "" : `cid:${node.ContentID}`,
    sizeText(node.Size),
  ].filter((d) => d !== "");
  const leaf = node.Parts.length === 0;
  return el(
    "li",
    {},
    el("b", {}, node.ContentType),
    node.FileName === "" ? null : ` ${node.FileName}`,
    el("span", { class: "soft" }, ` ${details.join(" · ")} `),
    leaf
      ? el("a", { href: partPath(id, node.PartID), target: "_blank" }, `part ${node.PartID}`)
      : null,
    leaf ? null : el("ul", {}, node.Parts.map((c) => partItem(id, c))),
  );
}

function files(message: Message): Child {
  const all = [...message.Attachments, ...message.Inline];
  if (all.length === 0) return null;
  return el(
    "ul",
    { class: "files", "aria-label": "Files" },
    all.map((f) =>
      el(
        "li",
        {},
        el(
          "a",
          { href: partPath(message.ID, f.PartID), target: "_blank" },
          f.FileName === "" ? f.ContentType : f.FileName,
        ),
        el("span", { class: "soft" }, ` ${sizeText(f.Size)}`),
      )
    ),
  );
}

/** The tab that was last open is also opened for the next message. */
let open = "Preview";

/** A message as an element. */
export function messageView(message: Message, tools: Child): HTMLElement {
  const all: Tab[] = [
    ...message.HTML === "" ? [] : [
      { name: "Preview", show: () => preview(message.ID) },
      { name: "HTML", show: () => code(message.HTML) },
    ],
    { name: "Text", show: () => message.Text === "" ? noText() : code(message.Text) },
    { name: "Headers", show: async () => headerTable(await api.headers(message.ID)) },
    {
      name: "Parts",
      show: async () =>
        el("ul", { class: "tree" }, partItem(message.ID, await api.parts(message.ID))),
    },
    { name: "Source", show: async () => code(await api.raw(message.ID)) },
    { name: "Checks", show: () => checks(message.ID, message.HTML !== "") },
    { name: "Links", show: () => links(message.ID) },
  ];
  return el(
    "article",
    {
      class: "message",
      "aria-label": message.Subject === "" ? "Message without subject" : message.Subject,
    },
    el(
      "header",
      {},
      el(
        "div",
        { class: "head" },
        el("h2", { tabindex: -1 }, message.Subject === "" ? "(no subject)" : message.Subject),
        el(
          "div",
          { class: "bar" },
          tools,
          el("a", { href: rawPath(message.ID), download: `${message.ID}.eml` }, "Save"),
        ),
      ),
      el(
        "dl",
        {},
        row("From", addressText(message.From)),
        row("To", list(message.To)),
        row("Cc", list(message.Cc)),
        row("Bcc", list(message.Bcc)),
        row("Reply to", list(message.ReplyTo)),
        row("Date", `${new Date(message.Date).toLocaleString()} · ${sizeText(message.Size)}`),
        row("Tags", message.Tags.join(", ")),
      ),
      envelope(message),
      message.Envelope?.RepairedLineEnds
        ? el(
          "p",
          { class: "warning" },
          "Its line ends were not CRLF and have been repaired; real mail servers may refuse it.",
        )
        : null,
      files(message),
    ),
    tabs("Views of the message", all, open, (name) => open = name),
  );
}

const noText = () => el("p", { class: "none" }, "It has no text part.");
