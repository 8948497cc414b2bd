/**
 * Every field of both files: whether it must be there, its default, and which of some values it takes, as they stand in
 * testdata/fields.txt. After a change that is meant, `UPDATE_FIELDS=1` writes that file anew, for its difference to be
 * read.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dynamicConfig, staticConfig } from "../../src/config/mod.ts";
import { absentValue, type Field, type Type } from "../../src/config/sconf/schema.ts";

const golden = fileURLToPath(new URL("testdata/fields.txt", import.meta.url));

/** Values at the edges of what fields of any kind may take. */
const probes = [
  ...[
    "-1",
    "0",
    "1",
    "99",
    "100",
    "255",
    "256",
    "299",
    "300",
    "399",
    "400",
    "599",
    "600",
    "1000",
    "1001",
  ],
  ...[
    "1024",
    "65535",
    "65536",
    "1000000",
    "1000001",
    "4294967296",
    "9007199254740993",
    "0.5",
    "1.5",
  ],
  ...["-1s", "1ns", "1s", "59s", "1m", "24h", "721h", "8761h", "1d"],
  ...[
    "true",
    "yes",
    "info",
    "TLSv1.2",
    "a",
    "A",
    "a.example",
    "a b",
    "(",
    "+",
    "/a",
    "/a/",
    "a/b",
    "a@b.example",
  ],
  ...[
    "http://a.example",
    "https://a.example/x",
    "192.0.2.1",
    "192.0.2.0/24",
    "192.0.2.1/24",
    "::1",
    "::1%lo",
  ],
];

/** The probes that a type takes without a word. */
function taken(type: Type<unknown>): string {
  return probes.filter((text) => {
    let said = 0;
    type.read({ kind: "text", text }, 1, () => said++);
    return said === 0;
  }).join(" ");
}

function* lines(type: Type<unknown>, path: string): Generator<string> {
  const { shape } = type;
  if (shape.kind === "scalar") yield `${path} takes ${taken(type)}`;
  else if (shape.kind !== "struct") yield* lines(shape.item, `${path}[]`);
  else {
    for (const [name, field] of Object.entries(shape.fields)) {
      const at = path === "" ? name : `${path}.${name}`;
      const missing = field.presence === "optional" && field.type.shape.kind === "scalar"
        ? ` ${JSON.stringify(absentValue(field as Field<unknown>))}`
        : "";
      yield `${at} is ${field.presence}${missing}${field.mayBeEmpty ? ", also empty" : ""}`;
      yield* lines(field.type, at);
    }
  }
}

Deno.test("fields, their defaults and the values that they take are those in testdata/fields.txt", async () => {
  const now = [
    ...[...lines(staticConfig as Type<unknown>, "")].map((l) => `mox.conf ${l}`),
    ...[...lines(dynamicConfig as Type<unknown>, "")].map((l) => `domains.conf ${l}`),
  ];
  if (Deno.env.get("UPDATE_FIELDS") === "1") {
    await Deno.writeTextFile(golden, now.join("\n") + "\n");
  }
  const before = (await Deno.readTextFile(golden)).trimEnd().split(/\r?\n/);
  const fresh = new Set(now);
  // New fields may come; what is there stays as it is.
  assert.deepEqual(before.filter((l) => !fresh.has(l)), []);
  assert.ok(before.length > 800, `${before.length} lines`);
});
