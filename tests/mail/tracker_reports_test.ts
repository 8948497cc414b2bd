/** Further messages that people have reported to other projects: dates, bodies, structures, invitations. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readInvitation } from "../../src/mail/calendar/invitation.ts";
import { parseDate } from "../../src/mail/header/date.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { parseContentType, parseDisposition } from "../../src/mail/header/params.ts";
import { decodeWords } from "../../src/mail/header/words.ts";
import { decodeBody, decodeText, fileNameOf } from "../../src/mail/structure/contents.ts";
import { imapBodyStructure, imapEnvelope } from "../../src/mail/structure/envelope.ts";
import { leaves, parseMessage } from "../../src/mail/structure/structure.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** Texts of all parts of a message in Latin-1, with a stroke between them. */
const texts = (m: string) => {
  const b = bytes(m);
  return [...leaves(parseMessage(b).root)].map((p) =>
    decodeText(p, b.subarray(p.bodyOffset, p.endOffset))
  ).join("|");
};

Deno.test("dates that other programs took for 1970, or for another day", () => {
  const cases: [report: string, value: string, iso: string][] = [
    ["d99kris/nmail 95", "13 Feb 22 00:04 EST", "2022-02-13T05:04:00.000Z"],
    ["tine20 7402", "Thu, 6 Oct 2022 12:27:13 +0200 (GMT+02:00)", "2022-10-06T10:27:13.000Z"],
    ["MailCore/mailcore2 1270: ctime", "Tue Jul 24 18:55:07 2007", "2007-07-24T18:55:07.000Z"],
    ["kdeldycke/mail-deduplicate 54", "Thu, 13 Dec 101 15:30 WET", "2001-12-13T15:30:00.000Z"],
    [
      "jstedfast/MimeKit 179: a comment in Latin-1",
      "Thu, 1 Oct 2015 14:40:57 +0200 (Mitteleurop\xe4ische Sommerzeit)",
      "2015-10-01T12:40:57.000Z",
    ],
    ["neomutt 2261", "Wed,17 Jul 2002 15:41:00 +0800", "2002-07-17T07:41:00.000Z"],
    ["neomutt 2261", "Tuesday, 12 Feb 2002 13:08:10 -0500", "2002-02-12T18:08:10.000Z"],
    ["neomutt 2261", "Tue, 19 Aug 2003 12:47:46 --0400", "2003-08-19T16:47:46.000Z"],
    ["neomutt 2261", "Fri, 5 Sep 2003 13:2:1 -0800", "2003-09-05T21:02:01.000Z"],
    ["stalwartlabs/mail-parser 47", "12 May 23 00:00:05 -0800", "2023-05-12T08:00:05.000Z"],
    [
      "sup-heliotrope/sup 252: Swedish",
      "l\xf6r, 29 maj 1999 00:24:04 +0200 (CEST)",
      "1999-05-28T22:24:04.000Z",
    ],
    ["in French", "mar., 3 d\xe9c. 2024 10:00:00 +0100", "2024-12-03T09:00:00.000Z"],
    ["in Italian", "mar, 3 giugno 2025 10:00:00 +0200", "2025-06-03T08:00:00.000Z"],
    ["in French", "jeu. 31 juil. 2025 10:00:00 +0200", "2025-07-31T08:00:00.000Z"],
    ["in English", "Tue, 4 Mar 2025 10:00:00 +0000", "2025-03-04T10:00:00.000Z"],
    [
      "sup-heliotrope/sup 252: German, a zone without its sign",
      "Di, 17 Mai 2005 12:31:00 0200",
      "2005-05-17T10:31:00.000Z",
    ],
  ];
  for (const [report, value, iso] of cases) {
    assert.equal(parseDate(value)?.toISOString(), iso, `${report}: ${value}`);
  }
});

Deno.test("encoded words", () => {
  const cases: [report: string, value: string, text: string][] = [
    [
      "zammad 2953: base64 cut within a character",
      "=?utf-8?B?QmVow7Y=?= =?utf-8?B?cmRlbg==?= =?utf-8?B?IEJlaMM=?= =?utf-8?B?tnJkZW4=?=",
      "Behörden Behörden",
    ],
    [
      "thunderbird-android 3194",
      "=?utf-8?B?0LDQtNGA0LXR?= =?utf-8?B?gdCwINGN0LvQtdC60YLRgNC+0L3QvdC+0Lk=?=",
      "адреса электронной",
    ],
    [
      "thunderbird-android 3189: an empty word before others",
      "=?UTF-8?Q??= =?UTF-8?Q?=D0=9F=D0=BE=D0=B4=20?= =?UTF-8?Q?=20=D0=BD=D0=B0?=",
      "Под  на",
    ],
    [
      "thunderbird-android 2499: GB 2312 cut within a character, without padding",
      "=?gb2312?B?Obv9t9az6cnu29rHsLqju6rHyLPHSlfN8rrAvsa16qOsuPzT0DIwvNIzOTnU?= " +
      "=?gb2312?B?qr6r0aG439DHytTLr77Gteq1yMTjwLSjoaOoQUSjqQ?=",
      "9积分抽深圳前海华侨城JW万豪酒店，更有20家399元精选高星试睡酒店等你来！（AD）",
    ],
    [
      "MQpeng/eml-parse-js 3: underscores, an apostrophe and dots",
      "=?UTF-8?q?Off-The-Path_You've_Never_Heard_Of!__=F0=9F=8C=8F?=",
      "Off-The-Path You've Never Heard Of!  \u{1f30f}",
    ],
    [
      "Enough-Software/enough_mail 282: base64 with one sign too few",
      "=?utf-8?B?0JfQsNC/0LjRgtCy0LDQvdC1INGC0LXRhNC70L7QvdC+0LK=?=",
      "Запитване тефлонов",
    ],
    ["nodemailer/mailparser 31", "=?ks_c_5601-1987?B?vcU=?=", "신"],
  ];
  for (const [report, value, text] of cases) assert.equal(decodeWords(value), text, report);
});

Deno.test("file names and other parameters", () => {
  assert.equal(
    parseDisposition('attachment; filename="=?iso-8859-1?q?testfile=2epdf?="')?.params.filename,
    "testfile.pdf",
    "rspamd 2757",
  );
  assert.equal(
    parseDisposition("attachment;\r\n filename*=UTF-8''%C3%A9%6B%65%7A%65%74%65%73")?.params
      .filename,
    "ékezetes",
    "martinrusev/imbox 192",
  );
  assert.equal(
    parseContentType(
      "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; " +
        'title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn\'t it!"',
    )?.params.title,
    "This is even more ***fun*** isn't it!",
    "nodemailer/mailparser 71: not only of file names",
  );
  assert.equal(
    parseDisposition(
      'attachment; filename="=?UTF-8?B?SGVsbG9Xb3Js?=\r\n\t=?UTF-8?B?ZC50eHQ=?="',
    )?.params.filename,
    "HelloWorld.txt",
    "jstedfast/MimeKit 1095: in several lines",
  );
});

Deno.test("charsets by the names that programs give them", () => {
  const body = (charset: string, content: Uint8Array) =>
    texts(
      `Content-Type: text/plain; charset="${charset}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${
        Buffer.from(content).toString("base64")
      }\r\n`,
    );
  const korean = Uint8Array.from([0xbe, 0xc8, 0xb3, 0xe7]);
  assert.equal(body("ks_c_5601-1987", korean), "안녕", "php-imap 509, xberg 1278");
  assert.equal(body("ks_c_5601-1989", korean), "안녕", "stalwartlabs/mail-parser 20");
  assert.equal(
    body("iso-8859-8-i", Uint8Array.from([0xf9, 0xec, 0xe5, 0xed])),
    "שלום",
    "SpamScope/mail-parser 74",
  );
  assert.equal(
    body("gb18030", Uint8Array.from([0xb9, 0xfe, 0xb9, 0xfe])),
    "哈哈",
    "MailCore/mailcore2 1021",
  );
  const subject = bytes(
    "Subject: [\xb3\xb7\xbb\xd8\xd3\xca\xbc\xfe\xb3\xc9\xb9\xa6] \xb3\xb7\xbb\xd8\xd3\xca\xbc\xfe\xb2\xe2\xca\xd4\r\n\r\n",
  );
  assert.equal(
    splitHeader(subject)[0].value.includes("\ufffd"),
    false,
    "nodemailer/mailparser 351: bytes of GBK in a subject",
  );
});

Deno.test("bodies: boundaries", () => {
  const mixed = (boundary: string, body: string) =>
    texts(`Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${body}`);
  assert.equal(
    mixed("Part", "--Part\r\n\r\nabc\r\n\r\n--Part--More\r\n\r\n--Part--\r\n"),
    "abc\r\n\r\n--Part--More\r\n",
    "php-mime-mail-parser 470: what goes on behind the two hyphens is text",
  );
  assert.equal(
    mixed("BND", "--BND\r\n\r\nvisit --BND for details\r\nSECRET\r\n--BND--\r\n"),
    "visit --BND for details\r\nSECRET",
    "stalwartlabs/mail-parser 156: within a line it is text",
  );
  assert.equal(
    mixed(
      "--foo",
      '----foo\r\nContent-Type: multipart/alternative; boundary="--foo_bar"\r\n\r\n----foo_bar\r\n\r\none\r\n' +
        "----foo_bar\r\n\r\ntwo\r\n----foo_bar--\r\n----foo\r\n\r\nthree\r\n----foo--\r\n",
    ),
    "one|two|three",
    "mikel/mail 379: an inner boundary that begins as the outer one",
  );
  assert.equal(
    mixed(
      "simple boundary",
      "preamble\r\n--simple boundary\r\n\r\nno line end\r\n" +
        "--simple boundary\r\nContent-type: text/plain\r\n\r\none\r\n\r\n--simple boundary--\r\nepilogue",
    ),
    "no line end|one\r\n",
    "staktrace/mailparse 127: the line end before a boundary belongs to it",
  );
  assert.equal(
    mixed(
      "boundary1",
      "--boundary1\r\nContent-Type: multipart/alternative; boundary=boundary2\r\n\r\n--boundary2\r\n\r\nBla\r\n" +
        "--boundary2--\r\n--boundary1--\r\n",
    ),
    "Bla",
    "purebred-email 25: two ends with one line end between them",
  );
  assert.match(
    mixed("b", "the text\r\n--b--\r\n"),
    /the text/,
    "docwire 227: an end without a start",
  );
  assert.equal(mixed("bound", "--bound\r\n\r\ntext\r\n--bou"), "text\r\n--bou", "cyrus-imapd 1256");
  // emersion/go-message 164: the same boundary within; nothing is lost.
  const same = mixed(
    "b",
    '--b\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n',
  );
  assert.match(same, /one/);
  assert.match(same, /two/);
});

Deno.test("bodies: transfer encodings", () => {
  const of = (encoding: string, body: string) => {
    const b = bytes(
      `Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
    );
    const { root } = parseMessage(b);
    return Buffer.from(decodeBody(root, b.subarray(root.bodyOffset, root.endOffset))).toString(
      "latin1",
    );
  };
  assert.equal(
    of("base64", "aGVsb\r\nG8gd29\r\nybGQ=\r\n"),
    "hello world",
    "hypermail 96: lines of 5, 6 and 5",
  );
  assert.equal(of("base64 ", "aGk=\r\n"), "hi", "EC-Nordbund/denomailer 60: a blank behind it");
  assert.equal(of("quoted-printable", "a=b,b"), "a=b,b", "postal-mime 75: no escape, so itself");
  assert.equal(of("quoted-printable", "x=ZZy"), "x=ZZy", "fast_mail_parser 194");
  assert.equal(
    of("quoted-printable", "end =\r\nof line=20\r\n"),
    "end of line \r\n",
    "runbox7 393",
  );
  assert.equal(
    of("quoted-printable", `${"a".repeat(75)}=\r\n${"x".repeat(10)}=\r\nz`),
    `${"a".repeat(75)}${"x".repeat(10)}z`,
    "zbateson/mail-mime-parser 72",
  );
  assert.equal(
    of("quoted-printable", '<rm xmlns=3D"http"=\n>'),
    '<rm xmlns="http">',
    "S22.Imap 21",
  );
});

Deno.test("ENVELOPE and BODYSTRUCTURE keep to their grammar", () => {
  const envelope = (header: string) => imapEnvelope(splitHeader(bytes(`${header}\r\n\r\n`)));
  assert.match(
    envelope("Sender: Google Calendar <calendar-notification@google.com>\r\nFrom: a@x.example"),
    /\(\("Google Calendar" NIL "calendar-notification" "google.com"\)\)/,
    "MailKit 263",
  );
  assert.doesNotMatch(
    envelope("From: a@x.example\r\nTo: \r\nCc: undisclosed"),
    /\(\)/,
    "swift-nio-imap 821",
  );
  assert.match(
    envelope('From: "\\"b64\\"extra(host)\\"\\"" <wang@host.example>'),
    /\(\("\\"b64\\"extra\(host\)\\"\\"" NIL "wang" "host.example"\)\)/,
    "imap-proto 171: quotes within a name",
  );
  for (
    const header of [
      "From: =?iso-8859-1?Q?a_?=\r\n =?iso-8859-1?Q?b?= <x@y.example>\r\nSubject: one\r\n two\r\n\tthree",
      'From: "a\r\n b" <x@y.example>\r\nSubject: \r\n x\rz',
    ]
  ) {
    // But for that of a literal.
    assert.doesNotMatch(
      envelope(header).replaceAll(/\{\d+\}\r\n/g, ""),
      /\n/,
      "cyrus-imapd 1522, MailKit 991: no line end within",
    );
  }
  assert.match(envelope("From: a@x.example\r\nTo: <@localhost>"), /"localhost"/, "MailKit 1471");

  const structure = (m: string) => imapBodyStructure(parseMessage(bytes(m)).root, true);
  assert.match(
    structure(
      'Content-Type: application/octet-stream; name="x.pdf"\r\nContent-Description: ""\r\n' +
        "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
    ),
    / NIL "\\"\\"" "BASE64" | NIL "" "BASE64" /,
    "go-imap 659: quotes in a description",
  );
  assert.match(
    structure(
      'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\nContent-Type: multipart/related; ' +
        'boundary="i"\r\n\r\n(no parts)\r\n--o\r\nContent-Type: text/html\r\n\r\nx\r\n--o--\r\n',
    ),
    /^\(\("TEXT" "PLAIN" NIL NIL NIL "7BIT" \d+ \d+ NIL NIL NIL NIL\)\("TEXT" "HTML" /,
    "MailKit 878: a multipart without parts is no multipart",
  );
  assert.match(
    structure('Content-Type: multipart/related; boundary="=====x_====="\r\n\r\n'),
    /^\("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0 NIL/,
    "libetpan 217",
  );
});

Deno.test("Apple's parts: texts between attachments, attachments within an alternative", () => {
  const part = (head: string, body: string) => `${head}\r\n\r\n${body}\r\n`;
  const html = (text: string) => part("Content-Type: text/html; charset=utf-8", text);
  const file = (name: string, how: string) =>
    part(
      `Content-Disposition: ${how};\r\n\tfilename="${name}"\r\nContent-Type: application/pdf;\r\n\tx-unix-mode=0666;\r\n\tname="${name}"`,
      "x",
    );
  const m =
    'Content-Type: multipart/alternative;\r\n\tboundary="Apple-Mail=_A"\r\nMime-Version: 1.0 (Mac OS X Mail 11.3 \\(3445.6.18\\))\r\n\r\n' +
    `--Apple-Mail=_A\r\n${
      part("Content-Type: text/plain; charset=utf-8", "plain")
    }--Apple-Mail=_A\r\n` +
    'Content-Type: multipart/mixed;\r\n\tboundary="Apple-Mail=_B"\r\n\r\n' +
    [
      html("one"),
      file(" xxx.pdf", "inline"),
      html("two"),
      file("d.pdf", "attachment"),
      html("three"),
    ]
      .map((p) => `--Apple-Mail=_B\r\n${p}`).join("") +
    "--Apple-Mail=_B--\r\n--Apple-Mail=_A--\r\n";
  assert.equal(texts(m), "plain|one|x|two|x|three", "nextcloud/mail 3726, hypermail 52, bower 111");
  assert.deepEqual(
    [...leaves(parseMessage(bytes(m)).root)].map(fileNameOf).filter((n) => n !== ""),
    ["xxx.pdf", "d.pdf"],
    "S22.Imap 81",
  );
});

Deno.test("invitations", () => {
  const zone = (id: string, standard: string, daylight: string) =>
    `BEGIN:VTIMEZONE\nTZID:${id}\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:${daylight}\n` +
    `TZOFFSETTO:${standard}\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n` +
    `DTSTART:16010101T020000\nTZOFFSETFROM:${standard}\nTZOFFSETTO:${daylight}\n` +
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
  const of = (head: string, zones: string, lines: string[]) =>
    readInvitation(
      `BEGIN:VCALENDAR\n${head}VERSION:2.0\n${zones}BEGIN:VEVENT\n${
        lines.join("\n")
      }\nEND:VEVENT\nEND:VCALENDAR\n`
        .replaceAll("\n", "\r\n"),
    );
  const start = (i: ReturnType<typeof of>) => i && new Date(i.start).toISOString();
  const request = "METHOD:REQUEST\nPRODID:Microsoft Exchange Server 2010\n";
  for (const id of ["W. Europe Standard Time", "Romance Standard Time"]) {
    const i = of(request, zone(id, "+0100", "+0200"), [
      "ORGANIZER;CN=Ben:mailto:ben@x.example",
      "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Neil Rashb\n rook:mailto:neil@x.example",
      "UID:040000008200E00074C5B7101A82E00800000000FB63F76F978EDB01000000000000000\n 010000000C6F",
      "SUMMARY;LANGUAGE=en-GB:Owl",
      `DTSTART;TZID=${id}:20250327T100000`,
      `DTEND;TZID=${id}:20250327T110000`,
    ]);
    assert.equal(
      start(i),
      "2025-03-27T09:00:00.000Z",
      `mustang 521, nextcloud/server 40967: ${id}`,
    );
    assert.equal(i!.attendees[0].name, "Neil Rashbrook");
  }
  // gelin/calendar-bot 42: the same zone without its description.
  assert.equal(
    start(
      of(request, "", ["UID:1", "SUMMARY:x", "DTSTART;TZID=Eastern Standard Time:20241028T113000"]),
    ),
    "2024-10-28T15:30:00.000Z",
  );
  // OutlookGoogleCalendarSync 806: empty names, a quoted zone, an address that is missing.
  assert.equal(
    start(of("METHOD:REQUEST\nPRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN\n", "", [
      "ATTENDEE;CN=;RSVP=TRUE:mailto",
      "ORGANIZER;CN=",
      "UID:0400",
      "SUMMARY;LANGUAGE=en-us:Review",
      'DTSTART;TZID="Eastern Standard Time":20190815T140000',
      'DTEND;TZID="Eastern Standard Time":20190815T150000',
    ])),
    "2019-08-15T18:00:00.000Z",
  );
  // Texts that were broken without a blank in front of what follows.
  const broken = of(request, "", [
    "UID:2",
    "SUMMARY:kept",
    "DESCRIPTION:Join:",
    "",
    "Dial in: +49 30 123",
    "or not",
    "DTSTART:20240102T030405Z",
  ]);
  assert.deepEqual([broken?.summary, start(broken)], ["kept", "2024-01-02T03:04:05.000Z"]);
  // ical4j 529 and 236: TZID as a property of the event, MAILTO in capitals, the zone behind the event.
  const late = of("METHOD:REQUEST\nPRODID:-//Events Calendar//iCal4j 1.0//EN\n", "", [
    "DTSTART:20211005T090032",
    "TZID:America/Halifax",
    "UID:d1",
    "SUMMARY:Test",
    "ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=FALSE:MAILTO:nish@x.example",
    "ORGANIZER:MAILTO:org@x.example",
  ]);
  assert.equal(late!.organizer!.address, "org@x.example");
  assert.equal(late!.attendees[0].address, "nish@x.example");
});
