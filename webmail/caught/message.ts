/** One message: who and what in its head, and tabs with all there is of it. @module */
import { type Child, el } from "../lib/dom.ts";
import { sizeText } from "../lib/format.ts";
import { type Address, api, type Message, type PartNode, partPath, rawPath } from "./api.ts";
import { checks, links } from "./checks.ts";
import { preview } from "./preview.ts";
import { type Tab, tabs } from "./tabs.ts";

/** Characters of a source that are shown: the rest is in the file. */
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

/** What MAIL FROM and RCPT TO said, which the header doesn't have to say too. */
function envelope(m: Message): Child {
  const e = m.Envelope;
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

function partItem(id: string, p: PartNode): HTMLElement {
  const details = [
    p.Charset,
    p.Encoding,
    p.Disposition,
    p.ContentID === "" ? "" : `cid:${p.ContentID}`,
    sizeText(p.Size),
  ].filter((d) => d !== "");
  const leaf = p.Parts.length === 0;
  return el(
    "li",
    {},
    el("b", {}, p.ContentType),
    p.FileName === "" ? null : ` ${p.FileName}`,
    el("span", { class: "soft" }, ` ${details.join(" · ")} `),
    leaf ? el("a", { href: partPath(id, p.PartID), target: "_blank" }, `part ${p.PartID}`) : null,
    leaf ? null : el("ul", {}, p.Parts.map((c) => partItem(id, c))),
  );
}

function files(m: Message): Child {
  const all = [...m.Attachments, ...m.Inline];
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
          { href: partPath(m.ID, f.PartID), target: "_blank" },
          f.FileName === "" ? f.ContentType : f.FileName,
        ),
        el("span", { class: "soft" }, ` ${sizeText(f.Size)}`),
      )
    ),
  );
}

/** The tab that was open last stays open for the next message. */
let open = "Preview";

/** A message as an element. */
export function messageView(m: Message, tools: Child): HTMLElement {
  const all: Tab[] = [
    ...m.HTML === "" ? [] : [
      { name: "Preview", show: () => preview(m.ID) },
      { name: "HTML", show: () => code(m.HTML) },
    ],
    { name: "Text", show: () => m.Text === "" ? noText() : code(m.Text) },
    { name: "Headers", show: async () => headerTable(await api.headers(m.ID)) },
    {
      name: "Parts",
      show: async () => el("ul", { class: "tree" }, partItem(m.ID, await api.parts(m.ID))),
    },
    { name: "Source", show: async () => code(await api.raw(m.ID)) },
    { name: "Checks", show: () => checks(m.ID, m.HTML !== "") },
    { name: "Links", show: () => links(m.ID) },
  ];
  return el(
    "article",
    { class: "message", "aria-label": m.Subject === "" ? "Message without subject" : m.Subject },
    el(
      "header",
      {},
      el(
        "div",
        { class: "head" },
        el("h2", { tabindex: -1 }, m.Subject === "" ? "(no subject)" : m.Subject),
        el(
          "div",
          { class: "bar" },
          tools,
          el("a", { href: rawPath(m.ID), download: `${m.ID}.eml` }, "Save"),
        ),
      ),
      el(
        "dl",
        {},
        row("From", addressText(m.From)),
        row("To", list(m.To)),
        row("Cc", list(m.Cc)),
        row("Bcc", list(m.Bcc)),
        row("Reply to", list(m.ReplyTo)),
        row("Date", `${new Date(m.Date).toLocaleString()} · ${sizeText(m.Size)}`),
        row("Tags", m.Tags.join(", ")),
      ),
      envelope(m),
      m.Envelope?.RepairedLineEnds
        ? el(
          "p",
          { class: "warning" },
          "Its line ends were not CRLF and have been repaired; real mail servers may refuse it.",
        )
        : null,
      files(m),
    ),
    tabs("Views of the message", all, open, (name) => open = name),
  );
}

const noText = () => el("p", { class: "none" }, "It has no text part.");
