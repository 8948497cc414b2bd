/** Text with soft line breaks made paragraphs again (RFC 3676). @module */

/** Joins flowed lines; quoted ones with lines of the same depth of quoting. */
export function unflow(text: string, delSp: boolean): string {
  const out: string[] = [];
  let open: { depth: number; text: string } | undefined;
  for (const line of text.split(/\r?\n/)) {
    let depth = 0;
    while (line[depth] === ">") depth++;
    let rest = line.slice(depth);
    // §4.4: a blank that was put in front is taken away.
    if (rest.startsWith(" ")) rest = rest.slice(1);
    const signature = rest === "-- ";
    const flowed = rest.endsWith(" ") && !signature;
    if (open !== undefined && (open.depth !== depth || signature)) {
      out.push(quoted(open));
      open = undefined;
    }
    const content: string = (open?.text ?? "") + (flowed && delSp ? rest.slice(0, -1) : rest);
    if (flowed) {
      open = { depth, text: content };
    } else {
      out.push(quoted({ depth, text: content }));
      open = undefined;
    }
  }
  if (open !== undefined) out.push(quoted(open));
  return out.join("\n");
}

function quoted(p: { depth: number; text: string }): string {
  return p.depth === 0 ? p.text : `${">".repeat(p.depth)} ${p.text}`;
}
