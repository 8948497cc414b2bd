/** Configuration files as documentation, and new files with or without documentation. @module */
import { absentValue, type Field, type Type } from "./schema.ts";
import { type Entry, type MapNode, type Node, printSconf } from "./sconf.ts";

/** Comments are wrapped at this column. */
const width = 80;

/** The beginning of every file created here. */
const formatNote =
  "This file is in sconf format. Indentation is by tabs, one for each level. A comment stands on a line " +
  "of its own. Values run to the end of their line, without quotes and escapes.";

function comment(doc: string, indent: number): string[] {
  const prefix = "\t".repeat(indent) + "# ";
  // A tab counts as 4 columns.
  const room = Math.max(40, width - indent * 4 - 2);
  const lines: string[] = [];
  let line = "";
  for (const w of doc.split(/\s+/).filter((w) => w !== "")) {
    if (line !== "" && line.length + 1 + w.length > room) {
      lines.push(prefix + line);
      line = w;
    } else {
      line = line === "" ? w : `${line} ${w}`;
    }
  }
  if (line !== "") lines.push(prefix + line);
  return lines;
}

function scalarText(type: Type<unknown>, value: unknown): string {
  const node = type.toNode(value);
  return node.kind === "text" ? node.text : "";
}

/** The note in brackets at the end of a field's documentation. */
function note(field: Field<unknown>): string {
  if (field.presence === "required") return "";
  const fallback = field.fallback;
  const text = fallback === undefined || field.type.shape.kind !== "scalar"
    ? ""
    : scalarText(field.type, fallback);
  return text === "" ? " (optional)" : ` (optional, default ${text})`;
}

/**
 * All fields of a file with their documentation, in the form of a file: user-chosen keys are called `x`,
 * and a list shows one item.
 */
export function describe(type: Type<unknown>): string {
  const lines = comment(formatNote, 0);
  lines.push("");
  describeBlock(type, 0, lines);
  return lines.join("\n") + "\n";
}

function describeBlock(type: Type<unknown>, indent: number, lines: string[]): void {
  const tabs = "\t".repeat(indent);
  const shape = type.shape;
  if (shape.kind === "list" || shape.kind === "map") {
    const head = tabs + (shape.kind === "list" ? "-" : "x:");
    lines.push(head);
    if (shape.item.shape.kind !== "scalar") describeBlock(shape.item, indent + 1, lines);
    return;
  }
  if (shape.kind === "scalar") return;
  for (const [name, field] of Object.entries(shape.fields)) {
    const doc = field.doc + note(field);
    if (doc.trim() !== "") {
      if (lines.length > 0 && lines.at(-1) !== "") lines.push("");
      lines.push(...comment(doc, indent));
    }
    if (field.type.shape.kind === "scalar") {
      const value = field.presence === "required" ? field.type.zero() : absentValue(field);
      lines.push(`${tabs}${name}: ${scalarText(field.type, value ?? field.type.zero())}`.trimEnd());
    } else {
      lines.push(`${tabs}${name}:`);
      describeBlock(field.type, indent + 1, lines);
    }
  }
}

/** A value as a new file; with `docs`, each field in it has its documentation above it. */
export function formatConfig<T>(type: Type<T>, value: T, docs: boolean): string {
  const node = type.toNode(value);
  const root: MapNode = node.kind === "map" ? node : { kind: "map", entries: [], trailing: [] };
  if (!docs) return printSconf(root);
  document(type as Type<unknown>, root, 0);
  const first = root.entries[0];
  if (first) first.leading = [...comment(formatNote, 0), "", ...first.leading];
  return printSconf(root);
}

function document(type: Type<unknown>, node: Node, indent: number): void {
  if (node.kind === "text") return;
  const shape = type.shape;
  node.entries.forEach((entry: Entry, i) => {
    if (shape.kind === "struct") {
      const field = shape.fields[entry.key];
      if (field.doc !== "") {
        entry.leading = [...(i > 0 ? [""] : []), ...comment(field.doc + note(field), indent)];
      }
      document(field.type, entry.value, indent + 1);
    } else if (shape.kind !== "scalar") {
      document(shape.item, entry.value, indent + 1);
    }
  });
}
