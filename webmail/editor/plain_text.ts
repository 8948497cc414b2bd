/** HTML as plain text: paragraphs, lists, quotes with ">", tables in columns, links. @module */

const blocks = new Set(
  "P DIV H1 H2 H3 H4 H5 H6 UL OL LI BLOCKQUOTE PRE TABLE TR HR ADDRESS SECTION ARTICLE".split(" "),
);
/** Elements with an empty line around them. */
const spaced = new Set("H1 H2 H3 H4 H5 H6 UL OL BLOCKQUOTE PRE TABLE".split(" "));

/** The text of an element's content. */
export function plainText(root: Element): string {
  return block(root, false).join("\n").replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "").trimEnd()
    // The line above a signature (RFC 3676 §4.3).
    .replace(/^--$/gm, "-- ") + "\n";
}

/** The lines of an element. */
function block(element: Element, pre: boolean): string[] {
  const out: string[] = [];
  let line = "";
  let open = false;
  const end = () => {
    if (open) out.push(pre ? line : line.trim());
    line = "";
    open = false;
  };
  const inline = (node: Node) => {
    if (node instanceof Text) {
      const text = pre ? node.data : node.data.replace(/[\s\u200b]+/g, " ");
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
    if (!(node instanceof Element)) return;
    if (node.tagName === "BR") {
      open = true;
      end();
    } else if (node.tagName === "IMG") {
      const alt = node.getAttribute("alt") ?? "";
      if (alt !== "") {
        line += `[${alt}]`;
        open = true;
      }
    } else if (blocks.has(node.tagName)) {
      end();
      const gap = spaced.has(node.tagName);
      if (gap && out.length > 0 && out.at(-1) !== "") out.push("");
      out.push(...blockLines(node));
      if (gap) out.push("");
    } else {
      const before = line.length;
      for (const c of node.childNodes) inline(c);
      const href = node.tagName === "A" ? node.getAttribute("href") ?? "" : "";
      const text = line.slice(before).trim();
      const plain = (s: string) => s.replace(/^(?:https?:\/\/|mailto:)/, "").replace(/\/$/, "");
      if (href !== "" && text !== "" && plain(href) !== plain(text)) line += ` <${href}>`;
    }
  };
  for (const c of element.childNodes) inline(c);
  end();
  return out;
}

function blockLines(element: Element): string[] {
  switch (element.tagName) {
    case "HR":
      return ["----"];
    case "BLOCKQUOTE": {
      const lines = block(element, false);
      while (lines.at(-1) === "") lines.pop();
      return lines.map((l) => l === "" ? ">" : l.startsWith(">") ? `>${l}` : `> ${l}`);
    }
    case "PRE":
      return block(element, true);
    case "UL":
    case "OL": {
      let n = Number(element.getAttribute("start") ?? 1);
      return [...element.children].flatMap((item) => {
        const mark = element.tagName === "OL" ? `${n++}. ` : "- ";
        return block(item, false).filter((l) => l !== "").map((l, i) =>
          (i === 0 ? mark : " ".repeat(mark.length)) + l
        );
      });
    }
    case "TABLE":
      return table(element);
    default: {
      const lines = block(element, false);
      // An empty paragraph is an empty line.
      return lines.length === 0 ? [""] : lines;
    }
  }
}

/** Cells in columns, each as wide as its widest cell. */
function table(element: Element): string[] {
  const rows = [...element.querySelectorAll("tr")].map((r) =>
    [...r.children].map((c) => block(c, false).filter((l) => l !== "").join(" "))
  );
  const widths: number[] = [];
  for (const r of rows) r.forEach((c, i) => widths[i] = Math.max(widths[i] ?? 0, c.length));
  // A table for layout rather than data, or too wide to read like this.
  if (widths.length < 2 || widths.reduce((a, b) => a + b, 0) > 100) return rows.flat();
  return rows.map((r) => r.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd());
}
