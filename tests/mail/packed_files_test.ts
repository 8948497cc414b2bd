/** Files in texts by uuencode, and in winmail.dat. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { unpackRtf } from "../../src/mail/transfer/compressed_rtf.ts";
import { tnefFiles } from "../../src/mail/transfer/tnef.ts";
import { decodeTransferEncoding } from "../../src/mail/transfer/transfer.ts";
import { uuencodedFiles } from "../../src/mail/transfer/uuencode.ts";
import { bodies, packedRtf, winmail, winmailMessage } from "./winmail.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
const text = (b: Uint8Array) => Array.from(b, (c) => String.fromCharCode(c)).join("");

/** Lines of uuencode, with "`" for zero or a blank. */
function uuencode(b: Uint8Array, zero = "`"): string {
  const char = (v: number) => v === 0 ? zero : String.fromCharCode(v + 32);
  let out = "";
  for (let at = 0; at < b.length; at += 45) {
    const line = b.subarray(at, at + 45);
    out += char(line.length);
    for (let i = 0; i < line.length; i += 3) {
      const v = line[i] << 16 | (line[i + 1] ?? 0) << 8 | (line[i + 2] ?? 0);
      for (const shift of [18, 12, 6, 0]) out += char(v >> shift & 63);
    }
    out += "\r\n";
  }
  return `${out}${zero}\r\nend\r\n`;
}

Deno.test("uuencoded files are taken out of a text", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.constantFrom("`", " "),
      (b, zero) => {
        const block = `begin 644 my file.bin\r\n${uuencode(b, zero)}`;
        const r = uuencodedFiles(
          bytes(`before\r\n${block}between\r\nbegin 755 two\r\n${uuencode(b)}after\r\n`),
        );
        assert.deepEqual(r.files.map((f) => f.name), ["my file.bin", "two"]);
        for (const f of r.files) {
          assert.deepEqual([...f.content], [...b]);
        }
        assert.equal(text(r.rest), "before\r\nbetween\r\nafter\r\n");
        assert.deepEqual([...decodeTransferEncoding(bytes(block), "x-uuencode")!], [...b]);
      },
    ),
  );
  for (
    const t of [
      "begin here",
      "begin 644\r\nx",
      "begin 644 name\r\n\r\nno file\r\n",
      "to begin 644 x\r\n",
    ]
  ) {
    assert.deepEqual(uuencodedFiles(bytes(t)).files, [], t);
    assert.equal(text(uuencodedFiles(bytes(t)).rest), t);
  }
  // Starts of files without a line, and with names that don't end: linear in time, and little memory.
  for (const line of ["begin 644 a\n\n", `begin 644 a${" ".repeat(300)}x\n`]) {
    const many = bytes(line.repeat(200_000 / line.length));
    const { files, rest } = uuencodedFiles(many);
    assert.deepEqual([files, rest], [[], many]);
  }
  fc.assert(fc.property(fc.string(), (s) => void uuencodedFiles(bytes(`begin 644 x\r\n${s}`))));
});

Deno.test("files in winmail.dat, with their long names", () => {
  assert.deepEqual(tnefFiles(winmail)!.map((f) => [f.name, text(f.content)]), [
    ["Lange Näme.txt", "first content"],
    ["b.bin", "\x01\x02\x03"],
  ]);
  assert.equal(tnefFiles(bytes("no TNEF at all")), undefined);
  // Cut anywhere, and changed anywhere, it gives what it gives.
  for (let n = 0; n < winmail.length; n++) tnefFiles(winmail.subarray(0, n));
  fc.assert(fc.property(fc.nat(winmail.length - 1), fc.nat(255), (at, value) => {
    const b = winmail.slice();
    b[at] = value;
    tnefFiles(b);
  }));
});

Deno.test("of a winmail.dat of millions of names and properties some thousand are looked at", () => {
  /** The example with so many of one attribute behind its head. */
  const withMany = (id: number, data: Uint8Array, count: number) => {
    const each = new Uint8Array(11 + data.length);
    const view = new DataView(each.buffer);
    view.setUint32(1, id, true);
    view.setUint32(5, data.length, true);
    each.set(data, 9);
    const all = new Uint8Array(winmail.length + count * each.length);
    all.set(winmail.subarray(0, 6));
    for (let i = 0; i < count; i++) all.set(each, 6 + i * each.length);
    all.set(winmail.subarray(6), 6 + count * each.length);
    return all;
  };
  const files = (b: Uint8Array) => tnefFiles(b, true)!.map((f) => f.name);
  const subject = 0x00018004;
  assert.deepEqual(files(withMany(subject, bytes("x"), 5000)), ["Lange Näme.txt", "b.bin"]);
  // Without a bound these took a second for each 300 kB.
  assert.deepEqual(files(withMany(subject, bytes("x"), 1_000_000)), []);
  const body = 0x0002800c;
  assert.deepEqual(files(withMany(body, bytes("x"), 1_000_000)), ["message.txt"]);
  const properties = new Uint8Array(4 + 4000 * 16);
  const view = new DataView(properties.buffer);
  view.setUint32(0, 4000, true);
  for (let at = 4; at < properties.length; at += 16) {
    view.setUint32(at, 0x3707001e, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, 1, true);
  }
  assert.deepEqual(files(withMany(0x00069003, properties, 4)), ["Lange Näme.txt", "b.bin"]);
  // The files are there, but the property with the long name isn't looked at any more.
  assert.deepEqual(files(withMany(0x00069003, properties, 10)), ["LONGNA~1.TXT", "b.bin"]);
});

/** Examples of MS-OXRTFCP §3. */
const packed = {
  simple: packedRtf,
  overlapping: Uint8Array.fromHex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"),
};

Deno.test("rich text of Outlook is unpacked, and what is damaged gives what it gives", () => {
  const rtf = (b: Uint8Array, max = 1000) => text(unpackRtf(b, max) ?? bytes("none"));
  assert.equal(rtf(packed.simple), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
  assert.equal(rtf(packed.overlapping), "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
  assert.equal(rtf(packed.simple, 42), "none");
  assert.equal(rtf(bytes("\x0f\0\0\0\x03\0\0\0MELA\0\0\0\0abc")), "abc");
  for (let n = 0; n < packed.simple.length; n++) unpackRtf(packed.simple.subarray(0, n), 1000);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (b) => {
    const whole = Uint8Array.from([...packed.simple.subarray(0, 16), ...b]);
    assert.ok((unpackRtf(whole, 1000) ?? b).length <= 1000);
  }));
});

Deno.test("of a message in winmail.dat the text is a file, and so are text and files of one that is attached", () => {
  const names = (b: Uint8Array, body?: boolean) =>
    tnefFiles(b, body)!.map((f) => [f.name, new TextDecoder().decode(f.content)]);
  const inner = winmailMessage([bodies.rtf(packed.simple)]);
  const rtf = ["a b subject.rtf", "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"];
  const outer = winmailMessage([bodies.text("Grüße"), bodies.rtf(packed.simple)], inner);
  // koodaamo/tnefparse 74: such an attachment was a file that nothing could open.
  assert.deepEqual(names(outer), [rtf]);
  assert.deepEqual(names(outer, true), [["a b subject.txt", "Grüße"], rtf]);
  const html = winmailMessage([bodies.html("<p>x"), bodies.text("x")], winmail);
  assert.deepEqual(names(html, true).map(([name]) => name), [
    "a b subject.html",
    "Lange Näme.txt",
    "b.bin",
  ]);
  // As deep as it may go, and no deeper.
  let deep = inner;
  for (let i = 0; i < 50; i++) deep = winmailMessage([bodies.text(`${i}`)], deep);
  assert.equal(tnefFiles(deep)!.length, 5);
});
