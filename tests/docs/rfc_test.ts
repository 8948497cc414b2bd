/**
 * Sections of RFCs that comments and docs name exist. `rfc_sections.txt` has a line for each RFC: its sections, then
 * for those that have any the sections within: `6.3:1-13` stands for 6.3.1 to 6.3.13. Behind an RFC whose sections
 * nobody noted stands `?`; who cites one that is not in the file adds it.
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { sources } from "../../scripts/house/imports.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** "1-4,7,A" as a set. */
function numbersOf(ranges: string): Set<string> {
  const all = new Set<string>();
  for (const range of ranges.split(",")) {
    const [from, to] = range.split("-");
    all.add(from);
    for (let n = Number(from); n <= Number(to ?? ""); n++) all.add(String(n));
  }
  return all;
}

/** Sections of each RFC; undefined for those that aren't known. */
async function readIndex(): Promise<Map<string, Set<string> | undefined>> {
  const text = await Deno.readTextFile(join(root, "tests/docs/rfc_sections.txt"));
  return new Map(
    text.trim().split("\n").map((line) => {
      const [rfc, top, ...inner] = line.split(" ");
      if (top === "?") return [rfc, undefined];
      const sections = numbersOf(top);
      for (const part of inner) {
        const [parent, children] = part.split(":");
        for (const n of numbersOf(children)) sections.add(`${parent}.${n}`);
      }
      return [rfc, sections];
    }),
  );
}

/** What is wrong with the citations of a text. */
function faults(text: string, index: ReadonlyMap<string, Set<string> | undefined>): string[] {
  const wrong: string[] = [];
  for (const [cited, rfc, section] of text.matchAll(/RFC (\d{3,5})(?: §([0-9A-Z]+(?:\.\d+)*))?/g)) {
    if (!index.has(rfc)) wrong.push(`${cited}: RFC ${rfc} is not in rfc_sections.txt`);
    else if (section && index.get(rfc)?.has(section) === false) {
      wrong.push(`${cited}: no such section`);
    }
  }
  return wrong;
}

Deno.test("RFCs that are cited have the sections that are named", async () => {
  const index = await readIndex();
  const wrong: string[] = [];
  let count = 0;
  const files = ["src", "webmail", "scripts", "tests"].flatMap((f) => [...sources(join(root, f))]);
  const docs = [...Deno.readDirSync(join(root, "docs"))].filter((e) => e.name.endsWith(".md"));
  for (const file of [...files, ...docs.map((e) => join(root, "docs", e.name))]) {
    if (file.endsWith("rfc_test.ts") || file.includes("node_modules")) continue;
    const text = await Deno.readTextFile(file);
    count += text.match(/RFC \d/g)?.length ?? 0;
    wrong.push(...faults(text, index).map((w) => `${relative(root, file)}: ${w}`));
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 1000, `${count} citations`);
});

Deno.test("a section that is not there is noticed", async () => {
  const index = await readIndex();
  assert.deepEqual(faults("RFC 9051 §6.3.13, RFC 5321 §4.5.3.1.10, RFC 3501", index), []);
  assert.equal(faults("RFC 9051 §6.3.14", index).length, 1);
  assert.equal(faults("RFC 5321 §11", index).length, 1);
  assert.equal(faults("RFC 99999", index).length, 1);
});
