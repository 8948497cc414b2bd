/** DER as certificates have it: lengths, object identifiers, times, and PEM around it. */
import assert from "node:assert/strict";
import {
  der,
  derOid,
  derTime,
  fromPem,
  oidText,
  pem,
  readDer,
  readDerList,
  Tag,
} from "../../src/net/der.ts";

const hex = (b: Uint8Array) => b.toHex();

Deno.test("lengths are as short as they can be, and read again", () => {
  const table: [length: number, header: string][] = [
    [0, "0400"],
    [1, "0401"],
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65_535, "0482ffff"],
    [65_536, "0483010000"],
  ];
  for (const [length, header] of table) {
    const content = new Uint8Array(length).fill(7);
    const bytes = der(Tag.octetString, content);
    assert.equal(hex(bytes.subarray(0, header.length / 2)), header, `${length}`);
    const element = readDer(bytes)!;
    assert.deepEqual([element.tag, element.end], [Tag.octetString, bytes.length]);
    assert.deepEqual(element.content, content);
    // One byte too few, at each of its ends.
    assert.equal(readDer(bytes.subarray(0, bytes.length - 1)), undefined);
    assert.deepEqual(readDer(Uint8Array.of(9, 9, ...bytes), 2)!.content.length, length);
  }
});

Deno.test("what is no element is none, and a list is filled exactly", () => {
  for (
    const bad of ["", "04", "0480", "0485000000000", "0481", "048201", "0402ff", "0484ffffffff"]
  ) {
    const bytes = Uint8Array.fromHex(bad.length % 2 === 0 ? bad : `${bad}0`);
    assert.equal(readDer(bytes), undefined, bad);
  }
  const two = Uint8Array.fromHex("040105020109");
  assert.deepEqual(readDerList(two)!.map((e) => [e.tag, ...e.content]), [[4, 5], [2, 9]]);
  assert.deepEqual(readDerList(new Uint8Array(0)), []);
  assert.equal(readDerList(two.subarray(0, 5)), undefined);
  const parts = der(Tag.sequence, der(Tag.integer, Uint8Array.of(1)), der(Tag.null));
  assert.equal(hex(parts), "30050201010500");
});

Deno.test("object identifiers in both directions", () => {
  const table: [string, string][] = [
    ["1.2.840.113549.1.1.11", "06092a864886f70d01010b"],
    ["2.5.29.17", "0603551d11"],
    ["0.9.2342.19200300.100.1.25", "060a0992268993f22c640119"],
    ["2.999.127.128", "060588377f8100"],
    ["1.3.6.1.5.5.7.1.31", "06082b0601050507011f"],
  ];
  for (const [text, bytes] of table) {
    assert.equal(hex(derOid(text)), bytes, text);
    assert.equal(oidText(readDer(Uint8Array.fromHex(bytes))!.content), text);
  }
});

Deno.test("times have two digits of the year up to 2049 (RFC 5280 §4.1.2.5)", () => {
  const text = (date: string) => {
    const e = readDer(derTime(new Date(date)))!;
    return [e.tag, new TextDecoder().decode(e.content)];
  };
  assert.deepEqual(text("2049-12-31T23:59:59.999Z"), [Tag.utcTime, "491231235959Z"]);
  assert.deepEqual(text("2050-01-01T00:00:00Z"), [Tag.generalizedTime, "20500101000000Z"]);
  assert.deepEqual(text("2001-02-03T04:05:06Z"), [Tag.utcTime, "010203040506Z"]);
});

Deno.test("PEM: lines of 64 characters; the first block with the label is read", () => {
  const bytes = new Uint8Array(100).map((_, i) => i);
  const text = pem("THING", bytes);
  const lines = text.trimEnd().split("\n");
  assert.deepEqual(lines.map((l) => l.length), [21, 64, 64, 8, 19]);
  const others = `rubbish\n${pem("OTHER", Uint8Array.of(1))}${text.replaceAll("\n", "\r\n")}`;
  assert.deepEqual(fromPem(others + pem("THING", Uint8Array.of(2)), "THING"), bytes);
  assert.deepEqual(fromPem(others, "OTHER"), Uint8Array.of(1));
  assert.equal(fromPem(others, "THIN"), undefined);
  assert.equal(fromPem(text.replace("END", "FIN"), "THING"), undefined);
  assert.equal(fromPem(text.replace("AAEC", "A*EC"), "THING"), undefined);
});
