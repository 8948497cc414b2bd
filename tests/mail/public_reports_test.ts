/** Messages that people have reported to other projects: what is read of each. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { parseDisposition } from "../../src/mail/header/params.ts";
import { decodeWords } from "../../src/mail/header/words.ts";
import { decodeText } from "../../src/mail/structure/contents.ts";
import { imapBodyStructure } from "../../src/mail/structure/envelope.ts";
import { leaves, parseMessage } from "../../src/mail/structure/structure.ts";
import { outgoingMessage } from "../../src/mail/outgoing/outgoing.ts";
import { parseDmarcXml, ReportError, unpack } from "../../src/reports/mod.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

Deno.test("file names", () => {
  const cases: [report: string, value: string, name: string][] = [
    [
      "FlowCrypt/flowcrypt-browser 3357",
      "attachment; filename*0*=utf-8''XX%20J%201%20IT%20E%20(P%204)%20p_c.pdf.pg; filename*1=p",
      "XX J 1 IT E (P 4) p_c.pdf.pgp",
    ],
    [
      "zbateson/mail-mime-parser 80",
      'attachment; filename*0="=?UTF-8?Q?*_=F0=9F=98=81=F0=9F=98=81=F0?= =?UTF-8?Q?=9F=98=8"; ' +
      'filename*1="1=F0=9F=98=81=F0?= =?UTF-8?Q?=9F=98=81"; filename*2="=F0=9F=98=81.docx?="',
      "* \u{1f601}\u{1f601}\u{1f601}\u{1f601}\u{1f601}\u{1f601}.docx",
    ],
    [
      "inflex/ripMIME 19",
      'attachment; filename*0="Entain Ladbrokes Report 09-20-2022.x"; filename*1=lsx',
      "Entain Ladbrokes Report 09-20-2022.xlsx",
    ],
    [
      "jbostoen/itop 46: semicolons left out",
      "attachment filename*0*=us-ascii'en'This%20is%20 filename*1*=%2A%2Afun filename*2=\"isn't it!\"",
      "This is **funisn't it!",
    ],
    [
      "karastojko/mailio 170",
      "attachment; filename*0*=UTF-8''py%E5%8E%BF; filename*1*=%E7%BA%A7; filename*2*=pdf",
      "py县级pdf",
    ],
    [
      "chatmail/core 2079",
      "attachment; filename*0*=UTF-8''%74%65%73%74%20%61%CC%88; filename*1*=%C3%9F%2E%70%64%66",
      "test a\u0308ß.pdf",
    ],
    [
      "zbateson/mail-mime-parser 182",
      "attachment; filename*0=\"1 Neuropathy 'Trick' Reverses? -Try Tonight.\"; filename*1=eml",
      "1 Neuropathy 'Trick' Reverses? -Try Tonight.eml",
    ],
    [
      "roundcube/roundcubemail 10268",
      "attachment; filename*0*=UTF-8''%e2%82%ac; filename*1*=%e2%82%ac",
      "€€",
    ],
    [
      "sunholo-data/ailang 678",
      'attachment; filename="=?iso-8859-1?Q?Salgsopstilling_12B=2C_2000_Frederiksberg?=.pdf"',
      "Salgsopstilling 12B, 2000 Frederiksberg.pdf",
    ],
    [
      "nodemailer/mailparser 124",
      "attachment; filename*0*=us-ascii'en'even%20more%20; filename*1*=%2A%2Afun; filename*2=\"isn't it!\"",
      "even more **funisn't it!",
    ],
  ];
  for (const [report, value, name] of cases) {
    assert.equal(parseDisposition(value)?.params.filename, name, report);
  }
});

Deno.test("encoded words that are cut within a character, or within base64", () => {
  const cases: [report: string, value: string, text: string][] = [
    [
      "neomutt/neomutt 1015",
      "=?UTF-8?Q?pasi=C5=BEad=C4?= =?UTF-8?Q?=97jim=C5=B3?=",
      "pasižadėjimų",
    ],
    ["kisli/vmime 98", "=?utf-8?B?5Lit5?= =?utf-8?B?paH?=", "中文"],
    [
      "laminas/laminas-mail 173",
      "=?utf-8?B?S2/FhGN6ZW5pZSB3c3DDs8WCcHJhY3kgLSBUb21hc3ogS2/F?= =?utf-8?B?gm9kemllamN6eWs=?=",
      "Kończenie współpracy - Tomasz Kołodziejczyk",
    ],
    [
      "IndySockets/Indy 157",
      "=?UTF-8?B?0J3QvtCy0YvQuSDRgtC10LrRgdGC0L7QstGL0Lkg0LTQvtC60YPQvNC10L3R?= =?UTF-8?B?gi50eHQ=?=",
      "Новый текстовый документ.txt",
    ],
    [
      "postalsys/postal-mime 68: words of ISO-2022-JP with padding each",
      "=?ISO-2022-JP?B?GyRCRnwbKEI=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=",
      "日本",
    ],
    [
      "mscdex/node-imap 360",
      "=?utf-8?Q?klmnopqr_=E0=B9=84=E0=B8=A1=E0=B9?= =?utf-8?Q?=88=E0=B8=82?=",
      "klmnopqr ไม่ข",
    ],
  ];
  for (const [report, value, text] of cases) assert.equal(decodeWords(value), text, report);
});

Deno.test("bodies that others showed as nothing", () => {
  const text = (m: string) => {
    const b = bytes(m);
    return [...leaves(parseMessage(b).root)].map((p) =>
      decodeText(p, b.subarray(p.bodyOffset, p.endOffset)).trim()
    ).join("|");
  };
  const part = "Content-Type: text/plain; charset=utf-8\r\n\r\nthe text\r\n";
  assert.equal(
    text(`Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${part}`),
    "the text",
    "mysociety/alaveteli 940: no closing boundary",
  );
  assert.equal(
    text(
      `Content-Type: multipart/alternative; boundary="-b";; charset="us-ascii"\r\n\r\n---b\r\n${part}---b--\r\n`,
    ),
    "the text",
    "mikel/mail 412: two semicolons",
  );
  assert.equal(
    text("Content-Type: TEXT/HTML; CHARSET=US-ASCII\r\n\r\n<p>Gr\xc3\xbc\xc3\x9fe</p>"),
    "<p>Grüße</p>",
    "Foundry376/Mailspring 358: US-ASCII that is UTF-8",
  );
  assert.match(
    text(
      `Content-Type: multipart/mixed; boundary="_Apple-Mail=_F6"\r\n\r\n--Apple-Mail=_F6\r\n${part}`,
    ),
    /the text/,
    "php-mime-mail-parser 130: another boundary than the header's",
  );
  assert.match(
    text(
      `Content-Type: multipart/encrypted; boundary="wM+4 =Y1"\r\n\r\n--wM+4=Y1\r\n${part}--wM+4=Y1--\r\n`,
    ),
    /the text/,
    "CaliOpen/Caliopen 1247: a boundary that was folded in its middle",
  );
  assert.equal(
    text(
      'Content-Type: text/html\r\n\r\n<meta http-equiv="Content-Type" content="text/html; charset=iso-2022-jp">\x1b$B%a\x1b(B',
    ),
    '<meta http-equiv="Content-Type" content="text/html; charset=iso-2022-jp">メ',
    "SpamScope/mail-parser 79",
  );
  assert.equal(
    text(
      `Content-Type: Text/HTML;\r\n charset=""\r\nContent-Transfer-Encoding: base64\r\n\r\n${
        Buffer.from("c4e3bac3a3accee4c3c7b5c4b2fac6b7d6cac1bf", "hex").toString("base64")
      }\r\n`,
    ).length > 0,
    true,
    "roundcube/roundcubemail 8919: an empty charset shows something",
  );
});

Deno.test("BODYSTRUCTURE is in its grammar where other servers left it", () => {
  const of = (m: string) => imapBodyStructure(parseMessage(bytes(m)).root, true);
  // jstedfast/MailKit 1393 and 1841: a multipart without parts within a message that was returned.
  const returned = of(
    "Content-Type: multipart/report; boundary=r\r\n\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n" +
      "Subject: x\r\nContent-Type: multipart/alternative; boundary=none\r\n\r\n\r\n--r--\r\n",
  );
  assert.match(
    returned,
    /\("TEXT" "PLAIN" NIL NIL NIL "7BIT" \d+ \d+ NIL NIL NIL NIL\) \d+ NIL NIL NIL NIL\) "REPORT"/,
  );
  // jstedfast/MailKit 371: a type without a subtype; kisli/vmime 159: an empty boundary.
  assert.match(of("Content-Type: X-ZIP; boundary=\r\n\r\nx"), /^\("TEXT" "PLAIN" /);
  assert.match(
    of("Content-Type: multipart/alternative; boundary=\r\n\r\nx"),
    /^\("TEXT" "PLAIN" NIL /,
  );
});

Deno.test("addresses", () => {
  const of = (s: string) =>
    flattenAddresses(parseAddressList(s)).map((a) => `${a.name}|${a.localpart}@${a.domain}`);
  const cases: [report: string, value: string, want: string[]][] = [
    [
      "SpamScope/mail-parser 132",
      "noreply@example.com <noreply@example.com>",
      ["noreply@example.com|noreply@example.com"],
    ],
    [
      "SpamScope/mail-parser 151",
      "alice@example.com <bob@example.com>",
      ["alice@example.com|bob@example.com"],
    ],
    ["roundcube/roundcubemail 5402", "user@example.com (John Doe)", ["John Doe|user@example.com"]],
    [
      "roundcube/roundcubemail 8164",
      '"freebsd.org"<noreply@freebsd.org',
      ["freebsd.org|noreply@freebsd.org"],
    ],
    [
      "docling-project/docling 4242",
      '"Smith, Jane" <jane@example.com>, "Roe, Richard" <rich@example.com>',
      ["Smith, Jane|jane@example.com", "Roe, Richard|rich@example.com"],
    ],
    [
      "php-mime-mail-parser 171: no NUL, and DMARC takes such a field for malformed",
      "fakefrom@world.com(fakefrom@world.com\0@mailsploit.com",
      ["fakefrom@world.com@mailsploit.com|fakefrom@world.com"],
    ],
  ];
  for (const [report, value, want] of cases) assert.deepEqual(of(value), want, report);
});

Deno.test("long lines are changed before they are signed, not by the next server", () => {
  const reports: [report: string, message: string][] = [
    [
      "roundcube 10198, thunderbird-android 890, magento 24528: 8-bit HTML in one line",
      `Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>${
        "\xc3\xbc ".repeat(2000)
      }</p>\r\n`,
    ],
    [
      "mailcow 7273: References of one line",
      `References: ${
        "<0123456789012345678901234567890123456789@mail.example> ".repeat(40)
      }\r\n\r\nx\r\n`,
    ],
    [
      "msmtp 53, OpenDKIM 133, docker-postfix 142: a log of long lines",
      `Content-Type: text/plain; charset=utf-8\r\n\r\n${`${"12345".repeat(1000)}\r\n`.repeat(30)}`,
    ],
  ];
  for (const [report, message] of reports) {
    const m = bytes(message);
    const pieces = outgoingMessage(parseMessage(m), (a, b) => m.subarray(a, b), { utf8: false })!;
    const out = Buffer.concat([...pieces]);
    assert.equal(parseMessage(out).longLines, false, report);
    if (report.startsWith("mailcow")) {
      assert.equal(splitHeader(out)[0].value.split(" ").filter((w) => w !== "").length, 40);
    }
  }
});

Deno.test("DMARC reports", () => {
  const unused = Buffer.from("H4sIAKImTmQAAyvNKy1OTQEA+UgslAYAAAA=", "base64");
  assert.throws(
    () => parseDmarcXml(unpack(new Uint8Array(unused))),
    ReportError,
    'liuch/dmarc-srg 73, parsedmarc 409: the text "unused"',
  );
  const xml =
    "<feedback><report_metadata><org_name>x</org_name><date_range><begin>1</begin><end>2</end>" +
    "</date_range></report_metadata><policy_published><domain>a.example</domain></policy_published></feedback>";
  assert.equal(parseDmarcXml(unpack(bytes(xml))).orgName, "x", "parsedmarc 607: not compressed");
  assert.equal(
    parseDmarcXml(bytes(`\xef\xbb\xbf${xml}`)).orgName,
    "x",
    "mail-dmarc 247: a mark at the start",
  );
});
