/** Line ends that localserve repairs. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { DataReader } from "../../src/smtp/server/data_reader.ts";
import { LineRepairer } from "../../src/smtp/server/line_repair.ts";

const bytes = (s: string) => new TextEncoder().encode(s);

/** The message that comes out, and what was left behind its end (undefined if it had none). */
function repair(text: string, at: number[] = [], dots = true) {
  let out = "";
  const reader = new LineRepairer((b) => out += new TextDecoder("latin1").decode(b), dots);
  const all = bytes(text);
  const cuts = [...at.map((n) => n % (all.length + 1)).sort((a, b) => a - b), all.length];
  let from = 0;
  for (const cut of cuts) {
    if (cut === from) continue;
    const end = reader.push(all.slice(from, cut));
    if (end >= 0) {
      const rest = new TextDecoder().decode(all.slice(from + end));
      return { out, rest, repaired: reader.repaired };
    }
    from = cut;
  }
  return { out, rest: undefined, repaired: reader.repaired };
}

Deno.test("every kind of line end becomes CRLF, and the end is found behind each", () => {
  const table: [string, string, string, boolean][] = [
    ["a\r\nb\r\n.\r\nQUIT", "a\r\nb\r\n", "QUIT", false],
    ["a\nb\n.\nQUIT", "a\r\nb\r\n", "QUIT", true],
    ["a\nb\n.\r\nQUIT", "a\r\nb\r\n", "QUIT", true],
    ["a\rb\r\n.\r\n", "a\r\nb\r\n", "", true],
    ["..a\r\n.b\n.\r\n", ".a\r\nb\r\n", "", true],
    [".\r\n", "", "", false],
    ["a\r\r\n.\r\n", "a\r\n\r\n", "", true],
  ];
  for (const [input, out, rest, repaired] of table) {
    assert.deepEqual(repair(input), { out, rest, repaired }, JSON.stringify(input));
  }
  assert.equal(repair("a\n.\nb", [], false).out, "a\r\n.\r\nb");
});

Deno.test("what has CRLF alone is read as the strict reader reads it, in whatever pieces", () => {
  const line = fc.stringMatching(/^[.a-c]{0,6}$/);
  fc.assert(fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
    const text = `${
      lines.map((l) => (l.startsWith(".") ? "." : "") + l + "\r\n").join("")
    }.\r\nrest`;
    let strict = "";
    const reader = new DataReader((b) => strict += new TextDecoder().decode(b));
    reader.push(bytes(text));
    assert.deepEqual(repair(text, cuts), { out: strict, rest: "rest", repaired: false });
  }));
});

Deno.test("any bytes in any pieces give lines that end in CRLF", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\r\n.a]{0,40}$/), fc.array(fc.nat(60)), (text, cuts) => {
      const { out } = repair(text, cuts);
      assert.ok(!/[^\r]\n|\r[^\n]|^\n|\r$/.test(out), JSON.stringify(out));
      assert.deepEqual(repair(text, cuts).out, repair(text).out);
    }),
  );
});
