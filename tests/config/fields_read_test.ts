/** No field of the configuration does nothing: each is read somewhere outside of the code that reads the files. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { dynamicConfig, staticConfig } from "../../src/config/mod.ts";
import type { Type } from "../../src/config/sconf/schema.ts";

const src = fileURLToPath(new URL("../../src", import.meta.url));

/** Fields that other parts ask for by a function of src/config, which must be in use. */
const byFunction: Record<string, string> = {
  FirstTimeSenderDelay: "firstTimeSenderDelay",
  QuotaMailboxes: "quotaMailboxes",
  QuotaMessages: "quotaMessages",
};

/** Fields of the original that can't do anything here say so, and give a warning where they are set. */
const outOfUse = /^Out of use\b/;

function fieldsOf(type: Type<unknown>, path: string, into: Map<string, string[]>): void {
  const { shape } = type;
  if (shape.kind === "list" || shape.kind === "map") fieldsOf(shape.item, path, into);
  if (shape.kind !== "struct") return;
  for (const [name, field] of Object.entries(shape.fields)) {
    if (outOfUse.test(field.doc)) continue;
    into.set(name, [...into.get(name) ?? [], `${path}${name}`]);
    fieldsOf(field.type, `${path}${name}.`, into);
  }
}

function* sources(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    const path = join(dir, e.name);
    if (e.isDirectory) yield* sources(path);
    else if (e.name.endsWith(".ts")) yield path;
  }
}

Deno.test("every field of mox.conf and domains.conf is read outside of src/config", () => {
  const fields = new Map<string, string[]>();
  fieldsOf(staticConfig as Type<unknown>, "mox.conf ", fields);
  fieldsOf(dynamicConfig as Type<unknown>, "domains.conf ", fields);
  assert.ok(fields.size > 150, `${fields.size} names`);
  const words = new Set<string>();
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    if (path.startsWith("config/")) continue;
    const text = Deno.readTextFileSync(file);
    // As a property, a name in destructuring, or a name in a text (of a lookup by name): not in comments.
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const [, name] of code.matchAll(/(?:[.{,"']\s*)([A-Z][A-Za-z0-9]+)\b/g)) words.add(name);
    for (const name of Object.values(byFunction)) if (code.includes(`${name}(`)) words.add(name);
  }
  const unread = [...fields].filter(([name]) => !words.has(byFunction[name] ?? name))
    .flatMap(([, paths]) => paths);
  assert.deepEqual(unread, []);
});
