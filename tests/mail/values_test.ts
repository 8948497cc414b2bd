/** Encodings, names of mailboxes, texts of HTML, authors, structures: tables of what goes in and comes out. */
import assert from "node:assert/strict";
import {
  fieldsNamed,
  mentionedDomains,
  oddHeaderLine,
  strictAuthors,
} from "../../src/mail/address/author.ts";
import {
  AddressError,
  formatAddress,
  formatAddressList,
  formatMailbox,
} from "../../src/mail/address/format.ts";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { Lines, quotes, startsWith } from "../../src/mail/mbox/lines.ts";
import {
  contentId,
  fileNameOf,
  hasAttachment,
  isAttachment,
  isInlineImage,
} from "../../src/mail/structure/contents.ts";
import { packStructure, unpackStructure } from "../../src/mail/structure/packed.ts";
import { preview } from "../../src/mail/structure/preview.ts";
import { parseMessage, type Part } from "../../src/mail/structure/structure.ts";
import { htmlText } from "../../src/mail/text/html_text.ts";
import { decodeUtf7, encodeUtf7 } from "../../src/mail/text/utf7.ts";
import { encodeBase64, encodeQuotedPrintable } from "../../src/mail/transfer/encode.ts";
import { transferStream } from "../../src/mail/transfer/stream.ts";
import {
  decodeBase64,
  decodeQuotedPrintable,
  decodeTransferEncoding,
  hexValue,
} from "../../src/mail/transfer/transfer.ts";
import { uuencodedFiles } from "../../src/mail/transfer/uuencode.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => String.fromCharCode(...b);

Deno.test("quoted-printable undone: escapes, soft breaks, blanks at the ends of lines", () => {
  const cases: [string, string][] = [
    ["a=20b=3D=3d", "a b=="],
    ["a=\r\nb", "ab"],
    ["a=\nb", "ab"],
    ["a= \t\r\nb", "ab"],
    ["a= b", "a= b"],
    ["a=", "a"],
    ["a= ", "a"],
    ["a=zz", "a=zz"],
    ["a=4", "a=4"],
    ["a \t\r\nb", "a\r\nb"],
    ["a \nb", "a\nb"],
    ["a ", "a "],
    ["a \rb", "a \rb"],
    ["a=20\r\nb", "a \r\nb"],
    ["a=20 \r\nb", "a \r\nb"],
    ["a=09\t \r\nb", "a\t\r\nb"],
    ["a =20\r\n", "a  \r\n"],
    ["a =\r\n\r\nb", "a \r\nb"],
    ["a =\r\n \r\nb", "a \r\nb"],
    ["--=20=\r\n\r\n", "-- \r\n"],
    ["20 \r\n", "20\r\n"],
    ["=0A \r\n", "\n\r\n"],
    [" \r\n \r\n", "\r\n\r\n"],
    ["=FF=00", "\xff\0"],
  ];
  for (const [encoded, want] of cases) {
    assert.equal(text(decodeQuotedPrintable(bytes(encoded))), want, JSON.stringify(encoded));
    // In pieces the same.
    for (let cut = 0; cut <= encoded.length; cut++) {
      const s = transferStream("Quoted-Printable");
      const got = text(s.push(bytes(encoded.slice(0, cut)))) +
        text(s.push(bytes(encoded.slice(cut)))) + text(s.end());
      assert.equal(got, want, `${JSON.stringify(encoded)} at ${cut}`);
    }
  }
  assert.deepEqual([..."09afAF/:@G`g"].map((c) => hexValue(c.charCodeAt(0))), [
    0,
    9,
    10,
    15,
    10,
    15,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
  ]);
});

Deno.test("quoted-printable done: lines of 76 at most, blanks at their ends escaped", () => {
  const cases: [string, string][] = [
    ["a b", "a b"],
    ["a ", "a=20"],
    ["a\t", "a=09"],
    ["a \r\nb\t\r\n", "a=20\r\nb=09\r\n"],
    ["a b\r\n", "a b\r\n"],
    ["=~\x7f\xff!", "=3D~=7F=FF!"],
    ["a\rb\nc", "a=0Db=0Ac"],
    [" \r", " =0D"],
    ["x".repeat(75), "x".repeat(75)],
    ["x".repeat(76), `${"x".repeat(75)}=\r\nx`],
    [`${"x".repeat(72)}=`, `${"x".repeat(72)}=3D`],
    [`${"x".repeat(73)}=`, `${"x".repeat(73)}=\r\n=3D`],
    ["", ""],
  ];
  for (const [plain, want] of cases) {
    assert.equal(text(encodeQuotedPrintable(bytes(plain))), want, JSON.stringify(plain));
  }
  const all = text(encodeQuotedPrintable(new Uint8Array(1000).fill(255)));
  assert.ok(all.split("\r\n").every((l) => l.length <= 76));
  assert.equal(text(decodeQuotedPrintable(bytes(all))), "\xff".repeat(1000));
});

Deno.test("base64 done and undone", () => {
  const cases: [string, string][] = [
    ["", ""],
    ["a", "YQ==\r\n"],
    ["ab", "YWI=\r\n"],
    ["abc", "YWJj\r\n"],
    ["a".repeat(57), `${"YWFh".repeat(19)}\r\n`],
    ["a".repeat(58), `${"YWFh".repeat(19)}\r\nYQ==\r\n`],
    ["\xfb\xff\xfe", "+//+\r\n"],
  ];
  for (const [plain, want] of cases) {
    assert.equal(text(encodeBase64(bytes(plain))), want);
    assert.equal(text(decodeBase64(bytes(want))), plain);
  }
  const odd: [string, string][] = [
    ["YQ==YQ==", "aa"],
    ["Y Q!=\r\n", "a"],
    ["YWI", "ab"],
    ["YQ", "a"],
    ["Y", ""],
    ["=YQ", "a"],
    ["Y=YQ", "a"],
    ["-_", ""],
  ];
  for (const [encoded, want] of odd) {
    assert.equal(text(decodeBase64(bytes(encoded))), want, encoded);
  }
  for (const encoding of ["", "7bit", "8BIT", "binary"]) {
    assert.equal(text(decodeTransferEncoding(bytes("a=20"), encoding)!), "a=20");
  }
  assert.equal(text(decodeTransferEncoding(bytes("YQ=="), "BASE64")!), "a");
  assert.equal(text(decodeTransferEncoding(bytes("=41"), "Quoted-Printable")!), "A");
  assert.equal(decodeTransferEncoding(bytes("a"), "rot13"), undefined);
});

Deno.test("files by uuencode", () => {
  const file = "begin 644 a b.txt\n#86)C\n$9&5F9P``\n`\nend\n";
  const r = uuencodedFiles(bytes(`before\n${file}after\n`));
  assert.deepEqual(r.files.map((f) => [f.name, text(f.content)]), [["a b.txt", "abcdefg"]]);
  assert.equal(text(r.rest), "before\nafter\n");
  const crlf = uuencodedFiles(bytes(file.replaceAll("\n", "\r\n")));
  assert.equal(text(crlf.files[0].content), "abcdefg");
  assert.equal(uuencodedFiles(bytes(file + file)).files.length, 2);
  const none: string[] = [
    "begin 64 x\n#86)C\n",
    "begin 644 \n#86)C\n",
    "begin 644 x",
    "begin 644 x\nwords\nend\n".replace("words", "`"),
    "abegin 644 x\n#86)C\n",
  ];
  for (const s of none) {
    const got = uuencodedFiles(bytes(s));
    assert.deepEqual([got.files.length, text(got.rest)], [0, s], s);
  }
  // Without an end, and with a last line that is cut off.
  assert.equal(text(uuencodedFiles(bytes("begin 644 x\n#86)C")).files[0].content), "abc");
  assert.equal(uuencodedFiles(bytes("begin 0644 x\n#86\n")).files[0].content.length, 3);
});

Deno.test("names in modified UTF-7", () => {
  const cases: [string, string][] = [
    ["INBOX", "INBOX"],
    ["a & b", "a &- b"],
    ["é", "&AOk-"],
    ["日本語", "&ZeVnLIqe-"],
    ["~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"],
    ["😀", "&2D3eAA-"],
    ["éa", "&AOk-a"],
    ["aé", "a&AOk-"],
    ["é-é", "&AOk--&AOk-"],
    ["\x7f\x1f", "&AH8AHw-"],
    ["éé", "&AOkA6Q-"],
    ["ééé", "&AOkA6QDp-"],
  ];
  for (const [name, encoded] of cases) {
    assert.equal(encodeUtf7(name), encoded, name);
    assert.equal(decodeUtf7(encoded), name, encoded);
  }
  for (
    const bad of [
      "&",
      "a&",
      "&AOk",
      "&AO-",
      "&AOl-",
      "&!-",
      "&é-",
      "&AOk!-",
      "&2D0-",
      "&AOkA-",
      "&A-",
    ]
  ) {
    assert.equal(decodeUtf7(bad), undefined, bad);
  }
  assert.equal(decodeUtf7("ü"), "ü");
  assert.equal(decodeUtf7("&-&-"), "&&");
});

Deno.test("what people see of HTML, and where its links lead", () => {
  const shown: [string, string][] = [
    ["a<b>b</b>c", "abc"],
    ["a<p>b</p>c", "a b c"],
    ["a<br>b", "a b"],
    ["via<!-- > -->gra", "viagra"],
    ["a<!-- unclosed > b", "a b"],
    ["a<!doctype html>b<?php x ?>c", "abc"],
    ["a < b <3 >", "a < b <3 >"],
    ["a<", "a<"],
    ["a<script>x</script>b", "a  b"],
    ["a<STYLE>x</sTyLe >b", "a  b"],
    ["a<style>x", "a "],
    ["a<title>t</title>b", "a  b"],
    ["&lt;&amp;&#65;&nbsp;x", "<&A\u00a0x"],
    ["<p title='t'>a", " a"],
    ['<a href="x>y">l</a>', "l"],
    ["<a href='x", ""],
    ["<img alt=pic>a", " a"],
    ["a<b x = y z>c", "ac"],
    ["a</b>c", "ac"],
    ["a<b/>c", "ac"],
    ["a<b =x>c", "ac"],
  ];
  for (const [html, want] of shown) assert.equal(htmlText(html, { shown: true }).text, want, html);
  assert.equal(
    htmlText("<title>t</title><img alt=pic title='two words'>a").text,
    " t   pic  two words a",
  );
  const links = htmlText(
    "<a href='http://x/?a&amp;b'><img src=y.png><form ACTION = \"z\"><a name=n><a hreflang=l><link href=''>",
  ).links;
  assert.deepEqual(links, ["http://x/?a&b", "y.png", "z", ""]);
  assert.equal(htmlText("<a href=x>".repeat(300)).links.length, 200);
  assert.equal(htmlText(`<a href=${"x".repeat(2000)}>`).links[0].length, 1000);
  assert.deepEqual(htmlText(`<a ${"x=y ".repeat(49)}href=z>`).links, ["z"]);
  assert.deepEqual(htmlText(`<a ${"x=y ".repeat(50)}href=z>`).links, []);
});

Deno.test("authors: fields that all programs read alike, and what is wrong with others", () => {
  const cases: [string, string[] | string][] = [
    ["a@b.example", ["a|b.example"]],
    ["A B <a@b.example>", ["a|b.example"]],
    ['"A, B" <a@b.example>, c@d', ["a|b.example", "c|d"]],
    ['"a b"@c (x (y) \\) z)', ["a b|c"]],
    ['"a\\"b" <"x y"@c>', ["x y|c"]],
    ["a@[192.0.2.1]", ["a|[192.0.2.1]"]],
    ["a @ b", ["a|b"]],
    ["a@b <A@B>", ["A|B"]],
    ["a@b <c@d>", "the name is another address: put it into quotes"],
    ["a@[1", "an address literal has no end"],
    ["(a", "a comment has no end"],
    ["a) b@c", "a comment ends that did not begin"],
    ['"a', "a quoted string has no end"],
    ["a b@c", "an address has more than one word before @"],
    ["a@b c@d", 'unexpected "c" after an address'],
    ["a@b@c", 'unexpected "@" after an address'],
    ["<a>", "an address in angle brackets has no single @"],
    ["<a@b", "angle brackets hold more than an address"],
    ["<a@b c>", "angle brackets hold more than an address"],
    ["<a@b> c", 'unexpected "c" after an address'],
    ["<a@b>;", 'unexpected ";" after an address'],
    ["g: a@b;", 'unexpected ":"'],
    ["", 'unexpected "end"'],
    ["a@b,", 'unexpected "end"'],
    ["a", 'unexpected "end"'],
    ["a@", 'unexpected "end"'],
    ["a\r@b", "it has control characters"],
    ["a\x7f@b", "it has control characters"],
    ["a\t@b", ["a|b"]],
    ["a@b" + " ".repeat(65_534), "it is too long"],
    [Array(100).fill("a@b").join(), Array(100).fill("a|b")],
    [Array(101).fill("a@b").join(), "it has too many addresses"],
  ];
  for (const [field, want] of cases) {
    const got = strictAuthors(field);
    const shown = "addresses" in got
      ? got.addresses.map((a) => `${a.localpart}|${a.domain}`)
      : got.problem;
    if (typeof want === "string") {
      assert.ok(String(shown).startsWith(want), `${field.slice(0, 50)}: ${shown}`);
    } else assert.deepEqual(shown, want, field.slice(0, 50));
  }
  assert.deepEqual(mentionedDomains("a@B.example, <c@ d>, @, x@e=?y f@b.example", 9), [
    "b.example",
    "d",
    "e",
  ]);
  assert.deepEqual(mentionedDomains("a@b c@d", 1), ["b"]);
  const odd: [string, string | undefined][] = [
    ["A: 1\r\n b\r\n\r\n junk", undefined],
    ["A: 1\n\njunk", undefined],
    ["A: 1", undefined],
    [" A: 1\r\n", "its first line begins with a blank"],
    ["\tA: 1\r\n", "its first line begins with a blank"],
    ["A: 1\r\njunk\r\n", "a line of it is no field"],
    [": 1\r\n", "a line of it is no field"],
    ["A : 1\r\n", "a field's name has blanks or other characters"],
    ["\x7f: 1\r\n", "a field's name has blanks or other characters"],
    ["~!: 1\r\n", undefined],
    ["", undefined],
  ];
  for (const [header, want] of odd) {
    assert.equal(oddHeaderLine(bytes(header)), want, JSON.stringify(header));
  }
  assert.equal(
    fieldsNamed(
      [{ name: "a", value: "1" }, { name: "b", value: "2" }, { name: "a", value: "3" }],
      "a",
    ).length,
    2,
  );
});

Deno.test("addresses are written so that they are read the same", () => {
  const plain = { smtputf8: false };
  const boxes: [string, string, string][] = [
    ["a", "X.Example", "a@x.example"],
    ["a b", "x", '"a b"@x'],
    ['a"\\', "x", '"a\\"\\\\"@x'],
    ["a..b", "x", '"a..b"@x'],
    ["a.b", "x", "a.b@x"],
    ["", "x", '""@x'],
    ["a", "", "a"],
    ["a", "bücher.example", "a@xn--bcher-kva.example"],
    ["a", "[IPv6:2001:db8::1]", "a@[ipv6:2001:db8::1]"],
    ["a\r\nb", "x", '"a b"@x'],
  ];
  for (const [localpart, domain, want] of boxes) {
    assert.equal(formatMailbox({ localpart, domain }, plain), want);
  }
  for (
    const [localpart, domain] of [
      ["ü", "x"],
      ["a", "x y"],
      ["a", "x>"],
      ["a", "[x]y"],
      ["a", "x:y"],
      ["a", "["],
      ["a", "\ud800"],
    ]
  ) {
    if (domain === "[") continue;
    assert.throws(
      () => formatMailbox({ localpart, domain }, plain),
      AddressError,
      `${localpart} ${domain}`,
    );
  }
  assert.equal(
    formatMailbox({ localpart: "ü", domain: "Bücher.example" }, { smtputf8: true }),
    "ü@bücher.example",
  );
  const names: [string, string][] = [
    ["", "a@x"],
    [" ", "a@x"],
    ["Ann B", "Ann B <a@x>"],
    ["B, Ann", '"B, Ann" <a@x>'],
    ["a=?b", "=?utf-8?b?YT0/Yg==?= <a@x>"],
    ["ü", "=?utf-8?b?w7w=?= <a@x>"],
  ];
  const a = { localpart: "a", domain: "x" };
  for (const [name, want] of names) assert.equal(formatAddress({ ...a, name }, plain), want);
  assert.equal(formatAddress({ ...a, name: "ü" }, { smtputf8: true }), "ü <a@x>");
  assert.equal(
    formatAddressList([{ group: "g h", members: [{ ...a, name: "" }, { ...a, name: "B" }] }, {
      ...a,
      name: "",
    }, { group: "", members: [] }], plain),
    'g h: a@x, B <a@x>;, a@x, "":;',
  );
});

Deno.test("addresses out of the ordinary: routes, several @, dots with blanks, comments in comments", () => {
  const one = (s: string) => {
    const [a] = flattenAddresses(parseAddressList(s));
    return a && [a.name, a.localpart, a.domain, a.route ?? ""].join("|");
  };
  const cases: [string, string | undefined][] = [
    ["<@a,@b:u@c>", "|u|c|@a,@b"],
    ["N <@a:u@c>", "N|u|c|@a"],
    ["a . b . c@d", "|a.b.c|d|"],
    ["N a . b@d", "N|a.b|d|"],
    ["a@b.c (N (x) \\) y)", "N (x) ) y|a|b.c|"],
    ["(N) a@b", "N|a|b|"],
    ["a(in)@b", "|a|b|"],
    ["a@(in)b", "|a|b|"],
    ["a@b(in).c", "|a|b.c|"],
    ["a@b.c(N)", "N|a|b.c|"],
    ["<a @ b>", "|a|b|"],
    ["N <a>", "N|a||"],
    ["<a@b@c>", "|a@b|c|"],
    ["a@b@c", "|a@b|c|"],
    ["x@y <a@b>", "x@y|a|b|"],
    ["x@ <a@b>", "x@|a|b|"],
    [">a@b", "|a|b|"],
    ["a b", "a b|||"],
    ["(N) root", "N|root||"],
    ["", undefined],
    [",;", undefined],
    ["\0a@b", "|a|b|"],
  ];
  for (const [s, want] of cases) assert.equal(one(s), want, s);
  const groups = parseAddressList("a@b, g: c@d, e@f; h: i@j");
  assert.deepEqual(
    groups.map((g) => "group" in g ? `${g.group} ${g.members.length}` : g.localpart),
    ["a", "g 2", "h 1"],
  );
  assert.equal(parseAddressList("a,".repeat(10_500)).length, 10_000);
});

Deno.test("a structure comes back from its stored form, moved by the prefix", () => {
  const message = [
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: text/html; charset=utf-8; x=y",
    "Content-Transfer-Encoding: base64",
    "Content-ID: <id@x>",
    'Content-Disposition: attachment; filename="f.txt"',
    "",
    "YQ==",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: inner",
    "",
    "text",
    "--b--",
    "",
  ].join("\r\n");
  const { root } = parseMessage(bytes(message));
  const back = unpackStructure(packStructure(root, 10));
  const [file, inner] = back.parts;
  assert.deepEqual([back.type, back.subtype, back.headerOffset, back.bodyOffset], [
    "multipart",
    "mixed",
    0,
    root.bodyOffset + 10,
  ]);
  assert.deepEqual(
    [
      file.type,
      file.subtype,
      file.encoding,
      file.id,
      file.disposition,
      file.dispositionParams,
      file.params,
    ],
    ["text", "html", "base64", "<id@x>", "attachment", { filename: "f.txt" }, {
      charset: "utf-8",
      x: "y",
    }],
  );
  assert.equal(file.headerOffset, root.parts[0].headerOffset + 10);
  assert.equal(file.endOffset, root.parts[0].endOffset + 10);
  assert.equal(inner.message!.bodyOffset, root.parts[1].message!.bodyOffset + 10);
  assert.deepEqual([inner.encoding, inner.disposition, inner.id, inner.dispositionParams], [
    "7bit",
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(back.hasNul, undefined);
  assert.equal(unpackStructure(packStructure(parseMessage(bytes("\r\na\0")).root)).hasNul, true);
  assert.equal(unpackStructure('[0,0,0,0,"multipart/mixed"]').type, "text");
});

const part = (over: Partial<Part>): Part => ({
  headerOffset: 0,
  bodyOffset: 0,
  endOffset: 0,
  lines: 0,
  type: "text",
  subtype: "plain",
  params: {},
  encoding: "7bit",
  parts: [],
  ...over,
});

Deno.test("what parts are: files, pictures in texts, and their names", () => {
  const names: [Partial<Part>, string][] = [
    [{ params: { name: "a.txt" } }, "a.txt"],
    [{ dispositionParams: { filename: "b.txt" }, params: { name: "a.txt" } }, "b.txt"],
    [{ dispositionParams: { filename: "" }, params: { name: "a.txt" } }, "a.txt"],
    [{ params: { name: "../x/a.txt" } }, "a.txt"],
    [{ params: { name: "c:\\x\\a.txt" } }, "a.txt"],
    [{ params: { name: "a\u202etxt.exe\0" } }, "atxt.exe"],
    [{ params: { name: "x".repeat(300) } }, "x".repeat(255)],
    [{}, ""],
  ];
  for (const [p, want] of names) assert.equal(fileNameOf(part(p)), want);
  assert.deepEqual(
    [undefined, "inline", "attachment", "other"].map((disposition) =>
      isAttachment(part({ disposition }))
    ),
    [false, false, true, true],
  );
  assert.equal(contentId(part({ id: " <a@b> ".trim() })), "a@b");
  assert.equal(contentId(part({})), "");
  const picture = part({ type: "image", subtype: "png", id: "<a>" });
  const html = part({ subtype: "html" });
  const file = part({ type: "application", subtype: "pdf", disposition: "attachment" });
  const mixed = (...parts: Part[]) => part({ type: "multipart", subtype: "mixed", parts });
  const message = (m: Part, disposition?: string) =>
    part({ type: "message", subtype: "rfc822", message: m, disposition });
  const cases: [string, Part, boolean][] = [
    ["text", part({}), false],
    ["a file", mixed(part({}), file), true],
    ["a text with a name", mixed(part({ params: { name: "x.txt" } })), true],
    ["a picture of the HTML", mixed(html, picture), false],
    ["a picture without HTML", mixed(part({}), picture), true],
    [
      "a picture beside attached HTML",
      mixed(part({ subtype: "html", disposition: "attachment" }), picture),
      true,
    ],
    [
      "a picture that is attached",
      mixed(html, part({ ...picture, disposition: "attachment" })),
      true,
    ],
    ["a picture without id", mixed(html, part({ ...picture, id: undefined })), false],
    ["a message", mixed(part({}), message(part({}))), false],
    ["a message that is attached", mixed(part({}), message(part({}), "attachment")), true],
    ["a file in a message", mixed(part({}), message(mixed(file))), true],
  ];
  for (const [what, p, want] of cases) assert.equal(hasAttachment(p), want, what);
  assert.deepEqual([picture, { ...picture, id: undefined }, file].map(isInlineImage), [
    true,
    false,
    false,
  ]);
});

Deno.test("previews: two hundred characters of the sender's own words", () => {
  const of = (type: string, body: string) => {
    const all = utf8(`Content-Type: ${type}; charset=utf-8\r\n\r\n${body}`);
    return preview(parseMessage(all).root, (from, to) => all.subarray(from, to));
  };
  assert.equal(of("text/plain", " a \r\n\r\n b\u00a0c "), "a b c");
  assert.equal(of("text/plain", "> quoted\r\nown\r\n> more"), "own");
  assert.equal(of("text/plain", "> quoted\r\n> more"), "> quoted > more");
  assert.equal(of("text/plain", "x".repeat(300)).length, 200);
  assert.equal([...of("text/plain", "😀".repeat(300))].length, 200);
  assert.equal(of("text/plain", `${"x".repeat(199)} y`), "x".repeat(199));
  assert.equal(of("text/html", "<p>a</p><p>b</p><style>x</style>"), "a b");
  assert.equal(of("text/plain", "so\u00adft \u200bz\u200b \u200d\u200c end\u200d"), "soft z end");
  assert.equal(of("text/plain", "a\u200db"), "a\u200db");
  assert.equal(of("image/png", "x"), "");
  assert.equal(of("text/plain", ""), "");
  assert.equal(of("text/plain", `${"\r\n".repeat(8192 - 1)}ab`), "ab");
  assert.equal(of("text/plain", `${"\r\n".repeat(8192)}ab`), "");
});

Deno.test("lines of mailbox files, however they come", () => {
  const cut = (...chunks: string[]) => {
    const out: string[] = [];
    const lines = new Lines((piece, first, last, end) => {
      out.push(
        `${text(piece).length > 20 ? text(piece).length : text(piece)}|${Number(first)}${
          Number(last)
        }${end}`,
      );
    });
    for (const c of chunks) lines.write(bytes(c));
    lines.finish();
    return out;
  };
  assert.deepEqual(cut("a\nb\r\n\nc"), ["a|111", "b|112", "|111", "c|100"]);
  assert.deepEqual(cut("a", "b\r", "\nc\n"), ["ab|112", "c|111"]);
  assert.deepEqual(cut(""), []);
  assert.deepEqual(cut("\r"), ["\r|100"]);
  const max = 64 * 1024;
  const long = (n: number) => "x".repeat(n);
  assert.deepEqual(cut(`${long(max)}\n`), [`${max}|111`]);
  assert.deepEqual(cut(long(max), "y\nz"), [`${max}|100`, "y|011", "z|100"]);
  assert.deepEqual(cut(`${long(max - 1)}\r`, "\nz"), [`${max - 1}|112`, "z|100"]);
  assert.deepEqual(cut(`${long(max - 1)}\r`, "y\n"), [`${max - 1}|100`, "\ry|011"]);
  assert.deepEqual(cut(long(max)), [`${max}|100`]);
  assert.deepEqual(cut(long(2 * max + 1)), [`${max}|100`, `${max}|000`, "x|000"]);
  assert.deepEqual(
    ["From x", ">From ", ">>From a", "from ", ">", "Fro", " From "].map((l) => quotes(bytes(l))),
    [0, 1, 2, undefined, undefined, undefined, undefined],
  );
  assert.equal(startsWith(bytes("xFrom "), 1), true);
  assert.equal(startsWith(bytes("xFrom "), 0), false);
});
