/** Headers as bytes: how they are taken apart, and changed field by field. */
import assert from "node:assert/strict";
import {
  changedHeader,
  HeaderTooLarge,
  rawFields,
  rawValue,
  readHeader,
} from "../../src/scanning/raw_header.ts";
import { checkedField } from "../../src/scanning/fields.ts";
import { type HeaderChange, ScanError } from "../../src/scanning/types.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (b: Uint8Array) => new TextDecoder().decode(b);
const names = (header: string) => rawFields(bytes(header)).map((f) => f.name);

Deno.test("a header is its fields up to the empty line, each with its further lines", () => {
  const rows: [header: string, names: string[]][] = [
    ["", []],
    ["\r\n", []],
    ["\r\nA: 1\r\n", []],
    ["A: 1\r\nB: 2\r\n\r\nC: 3\r\n", ["A", "B"]],
    ["A: 1\nB: 2\n\nC: 3", ["A", "B"]],
    ["A: 1", ["A"]],
    ["A: 1\r\n two\r\n\tthree\r\nB: 2", ["A", "B"]],
    ["A : 1\r\n", ["A"]],
    ["no field\r\nA: 1\r\n", ["", "A"]],
    [": 1\r\n", [""]],
    ["A b: 1\r\n", [""]],
    [`${"x".repeat(200)}: 1\r\n`, ["x".repeat(200)]],
    [`${"x".repeat(201)}: 1\r\n`, [""]],
  ];
  for (const [header, wanted] of rows) {
    assert.deepEqual(names(header), wanted, JSON.stringify(header));
    const whole = rawFields(bytes(header)).map((f) => text(f.bytes)).join("");
    assert.ok(header.startsWith(whole), "nothing is lost or moved");
  }
  const values = rawFields(bytes("A:1\r\nB:  2 \r\n 3\r\nC:\r\nD: x"))
    .map((f) => text(rawValue(f)));
  assert.deepEqual(values, ["1", "  2 \n 3", "", " x"]);
});

Deno.test("changes in their order: what is not named stays byte by byte", () => {
  const header = "Received: x\r\nSubject:  odd \r\n\tone\r\nX-Spam: 1\r\nx-spam: 2\r\n";
  const change = (...changes: HeaderChange[]) =>
    text(changedHeader(rawFields(bytes(header)), changes));
  const added = { name: "A", value: "1" };
  assert.equal(change(), `${header}\r\n`);
  assert.equal(change({ kind: "add", ...added }), `${header}A: 1\r\n\r\n`);
  assert.equal(change({ kind: "add", name: "A", value: "\t1" }), `${header}A:\t1\r\n\r\n`);
  assert.equal(change({ kind: "insert", index: 0, ...added }), `A: 1\r\n${header}\r\n`);
  assert.equal(
    change({ kind: "insert", index: 1, ...added }),
    `${header.replace("Subject", "A: 1\r\nSubject")}\r\n`,
  );
  assert.equal(change({ kind: "insert", index: 99, ...added }), `${header}A: 1\r\n\r\n`);
  assert.equal(
    change({ kind: "remove", name: "X-SPAM" }),
    "Received: x\r\nSubject:  odd \r\n\tone\r\n\r\n",
  );
  const second = { kind: "change", name: "X-Spam", occurrence: 2 } as const;
  assert.equal(
    change({ ...second, value: "3" }),
    `${header.replace("x-spam: 2", "X-Spam: 3")}\r\n`,
  );
  assert.equal(change({ ...second, value: "" }), `${header.replace("x-spam: 2\r\n", "")}\r\n`);
  assert.equal(change({ ...second, occurrence: 3, value: "3" }), `${header}X-Spam: 3\r\n\r\n`);
  assert.equal(change({ ...second, occurrence: 3, value: "" }), `${header}\r\n`);
  // The second change sees what the first has left.
  assert.equal(
    change({ ...second, occurrence: 1, value: "" }, { ...second, occurrence: 1, value: "9" }),
    `${header.replace("X-Spam: 1\r\nx-spam: 2", "X-Spam: 9")}\r\n`,
  );
  const cut = text(changedHeader(rawFields(bytes("A: 1")), []));
  assert.equal(cut, "A: 1\r\n\r\n", "a line end is added");
});

Deno.test("a header of so many bytes and fields is read, a larger one refused", () => {
  const read = (header: Uint8Array) => {
    const read = (from: number, to: number) => header.slice(from, to);
    return readHeader({ size: header.length, headerSize: header.length, read });
  };
  assert.equal(read(bytes("A: 1\r\n".repeat(5000))).length, 5000);
  assert.throws(() => read(bytes("A: 1\r\n".repeat(5001))), HeaderTooLarge);
  const long = (n: number) => bytes(`A: ${"x".repeat(n - 5)}\r\n`);
  assert.equal(read(long(4 * 1024 * 1024)).length, 1);
  assert.throws(() => read(long(4 * 1024 * 1024 + 1)), HeaderTooLarge);
});

Deno.test("a field that a scanner adds is one field", () => {
  const rows: [value: string, wanted: string][] = [
    ["plain", "plain"],
    ["two\nlines", "two\r\n lines"],
    ["two\r\n\tlines", "two\r\n\tlines"],
    ["two\rlines", "two\r\n lines"],
    ["a\r\n\r\nbody", "a\r\n body"],
    ["a\n \nb", "a\r\n b"],
    ["", ""],
    ["nul\0 del\x7f tab\t", "nul  del  tab\t"],
    ["ü", "ü"],
  ];
  for (const [value, wanted] of rows) {
    const field = checkedField("X-A", value);
    assert.deepEqual(field, { name: "X-A", value: wanted }, JSON.stringify(value));
  }
  assert.equal(checkedField("x".repeat(200), "").name.length, 200);
  for (const name of ["", "a b", "a:b", "a\r\nb", "ü", "x".repeat(201)]) {
    assert.throws(() => checkedField(name, "x"), ScanError, name);
  }
  assert.equal(checkedField("A", "x".repeat(65_536)).value.length, 65_536);
  assert.throws(() => checkedField("A", "x".repeat(65_537)), ScanError);
});
