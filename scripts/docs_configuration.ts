/**
 * The reference of the configuration as a page: prints docs/configuration.md, made from the schemas of both files.
 * `deno task pages` runs it.
 *
 * @module
 */
import { dynamicConfig, formatDuration, staticConfig } from "../src/config/mod.ts";
import { absentValue, type Field, type Type } from "../src/config/sconf/schema.ts";

/** Text in which nothing is taken for Markdown. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>#|[\]]/g, "\\$&").replaceAll(/\s+/g, " ").trim();
}

/** What a value is, for people. */
function kindOf(type: Type<unknown>): string {
  switch (type.shape.kind) {
    case "list":
      return `list, each ${kindOf(type.shape.item)}`;
    case "map":
      return `block with names of your choice, each ${kindOf(type.shape.item)}`;
    case "struct":
      return "a block";
    default:
      return type.expected;
  }
}

function fallbackOf(field: Field<unknown>): string {
  if (field.presence === "required") return "required";
  const node = field.type.shape.kind === "scalar" && field.presence === "optional"
    ? field.type.toNode(absentValue(field))
    : undefined;
  const text = node?.kind === "text" ? node.text : "";
  return text === "" ? "optional" : `optional, default \`${text}\``;
}

function fieldsOf(type: Type<unknown>): Record<string, Field<unknown>> {
  const { shape } = type;
  if (shape.kind === "struct") return shape.fields;
  return shape.kind === "scalar" ? {} : fieldsOf(shape.item);
}

function* lines(type: Type<unknown>, depth: number): Generator<string> {
  const indent = "  ".repeat(depth);
  for (const [name, field] of Object.entries(fieldsOf(type))) {
    const about = `${kindOf(field.type)}; ${fallbackOf(field)}`;
    const doc = field.doc === "" ? "" : ` ${plain(field.doc)}`;
    yield `${indent}- **${name}** (${about}).${doc}`;
    yield* lines(field.type, depth + 1);
  }
}

/** The page. */
export function configurationPage(): string {
  return [
    "# Configuration",
    "",
    "All fields of both files, as `mox config describe-static` and `describe-domains` print them in the form of the",
    "files. Made from the program: corrections belong into `src/config`.",
    "",
    "Indentation is by tabs, one for each level; values run to the end of their line, without quotes; a comment stands",
    `on a line of its own. Durations are written as in \`${
      formatDuration(90_000)
    }\` or \`24h\`. An explicit zero means the default.`,
    "`mox config test` names all mistakes in both files with their lines.",
    "",
    "## mox.conf",
    "",
    "What is fixed while the server runs; a change needs a new start.",
    "",
    ...lines(staticConfig as Type<unknown>, 0),
    "",
    "## domains.conf",
    "",
    "Domains and accounts: read again within a second when it changes, and written by the admin page and commands.",
    "",
    ...lines(dynamicConfig as Type<unknown>, 0),
    "",
  ].join("\n");
}

if (import.meta.main) console.log(configurationPage().trimEnd());
