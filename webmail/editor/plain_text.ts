/** HTML as it reads in plain text: paragraphs, lists, quotes with ">", tables by columns, links. @module */

const blocks = new Set(
  "P DIV H1 H2 H3 H4 H5 H6 UL OL LI BLOCKQUOTE PRE TABLE TR HR ADDRESS SECTION ARTICLE".split(" "),
);
/** Those with an empty line around them. */
const spaced = new Set("H1 H2 H3 H4 H5 H6 UL OL BLOCKQUOTE PRE TABLE".split(" "));

/** The text of an element's content. */
export function plainText(root: Element): string {
  return block(root, false).join("\n").replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "").trimEnd()
    // The line over a signature (RFC 3676 §4.3).
    .replace(/^--$/gm, "-- ") + "\n";
}

/** Lines of an element. */
function block(e: Element, pre: boolean): string[] {
  const out: string[] = [];
  let line = "";
  let open = false;
  const end = () => {
    if (open) out.push(pre ? line : line.trim());
    line = "";
    open = false;
  };
  const inline = (n: Node) => {
    if (n instanceof Text) {
      const text = pre ? n.data : n.data.replace(/[\s\u200b]+/g, " ");
      const [first, ...more] = pre ? text.split("\n") : [text];
      line += first;
      if (first.trim() !== "") open = true;
      for (const l of more) {
        open = true;
        end();
        line = l;
      }
      return;
    }
    if (!(n instanceof Element)) return;
    if (n.tagName === "BR") {
      open = true;
      end();
    } else if (n.tagName === "IMG") {
      const alt = n.getAttribute("alt") ?? "";
      if (alt !== "") {
        line += `[${alt}]`;
        open = true;
      }
    } else if (blocks.has(n.tagName)) {
      end();
      const gap = spaced.has(n.tagName);
      if (gap && out.length > 0 && out.at(-1) !== "") out.push("");
      out.push(...blockLines(n));
      if (gap) out.push("");
    } else {
      const before = line.length;
      for (const c of n.childNodes) inline(c);
      const href = n.tagName === "A" ? n.getAttribute("href") ?? "" : "";
      const text = line.slice(before).trim();
      const plain = (s: string) => s.replace(/^(?:https?:\/\/|mailto:)/, "").replace(/\/$/, "");
      if (href !== "" && text !== "" && plain(href) !== plain(text)) line += ` <${href}>`;
    }
  };
  for (const c of e.childNodes) inline(c);
  end();
  return out;
}

function blockLines(e: Element): string[] {
  switch (e.tagName) {
    case "HR":
      return ["----"];
    case "BLOCKQUOTE": {
      const lines = block(e, false);
      while (lines.at(-1) === "") lines.pop();
      return lines.map((l) => l === "" ? ">" : l.startsWith(">") ? `>${l}` : `> ${l}`);
    }
    case "PRE":
      return block(e, true);
    case "UL":
    case "OL": {
      let n = Number(e.getAttribute("start") ?? 1);
      return [...e.children].flatMap((item) => {
        const mark = e.tagName === "OL" ? `${n++}. ` : "- ";
        return block(item, false).filter((l) => l !== "").map((l, i) =>
          (i === 0 ? mark : " ".repeat(mark.length)) + l
        );
      });
    }
    case "TABLE":
      return table(e);
    default: {
      const lines = block(e, false);
      // An empty paragraph is an empty line.
      return lines.length === 0 ? [""] : lines;
    }
  }
}

/** Cells in columns as wide as their widest. */
function table(e: Element): string[] {
  const rows = [...e.querySelectorAll("tr")].map((r) =>
    [...r.children].map((c) => block(c, false).filter((l) => l !== "").join(" "))
  );
  const widths: number[] = [];
  for (const r of rows) r.forEach((c, i) => widths[i] = Math.max(widths[i] ?? 0, c.length));
  // Layout rather than data, or too wide to read so.
  if (widths.length < 2 || widths.reduce((a, b) => a + b, 0) > 100) return rows.flat();
  return rows.map((r) => r.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd());
}
