/** Messages of the JMAP comparison. @module */

/** A message with where it lies. */
export interface Sample {
  /** Its Message-ID without brackets. */
  id: string;
  text: string;
  mailboxes: string[];
  keywords: string[];
  receivedAt: string;
}

const people = [
  "Ada Lovelace <ada@example.org>",
  '"Babbage, Charles" <charles@example.com>',
  "=?utf-8?q?Bj=C3=B6rn?= <bjorn@example.net>",
  "dora@example.org",
];
const subjects = [
  "Lunch",
  "Re: Lunch",
  "[list] Weekly report",
  "=?utf-8?b?R3LDvMOfZQ==?= from Berlin",
  "Invoice 2027-03",
  "Fwd: Receipt 2027-04",
  "no news",
  "RE: re: Lunch",
];
const bodies = [
  "Shall we meet for lunch tomorrow?\r\n",
  "The weekly report is attached.\r\nRegards\r\n",
  "Gr=C3=BC=C3=9Fe aus Berlin\r\n",
  "nothing here\r\n",
];

const plain = (n: number) =>
  n % 4 === 2
    ? "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
      bodies[2]
    : `Content-Type: text/plain; charset=us-ascii\r\n\r\n${bodies[n % 4]}`;

function multipart(n: number): string {
  const b = `b${n}`;
  const part = (head: string, body: string) => `--${b}\r\n${head}\r\n\r\n${body}\r\n`;
  const text = part("Content-Type: text/plain", "Text of it.");
  const html = part("Content-Type: text/html; charset=utf-8", "<p>Text <b>of</b> it.</p>");
  const file = part(
    'Content-Type: application/pdf; name="report.pdf"\r\n' +
      'Content-Disposition: attachment; filename="report.pdf"\r\nContent-Transfer-Encoding: base64',
    "JVBERi0xLjQK",
  );
  const image = part(
    "Content-Type: image/png\r\nContent-ID: <pic@example.org>\r\nContent-Disposition: inline\r\n" +
      "Content-Transfer-Encoding: base64",
    "iVBORw0KGgo=",
  );
  const kinds: [string, string][] = [
    ["alternative", text + html],
    ["mixed", text + file],
    ["related", html + image],
    ["mixed", text + image + text],
  ];
  const [kind, inner] = kinds[n % kinds.length];
  return `MIME-Version: 1.0\r\nContent-Type: multipart/${kind}; boundary=${b}\r\n\r\n${inner}--${b}--\r\n`;
}

function message(n: number): string {
  const at = new Date(Date.UTC(2027, 2, 1 + n, n % 24, 10 * (n % 6)));
  const date = at.toUTCString().replace("GMT", "+0000");
  const reply = n % 8 === 1 || n % 8 === 7
    ? `In-Reply-To: <m${n - n % 8}@example.org>\r\n` +
      `References: <m${n - n % 8}@example.org>\r\n`
    : "";
  return `From: ${people[n % 4]}\r\nTo: ${people[(n + 1) % 4]}, ${people[(n + 2) % 4]}\r\n` +
    (n % 3 === 0 ? `Cc: ${people[(n + 3) % 4]}\r\n` : "") +
    (n % 7 === 0 ? "Reply-To: Team: ada@example.org, dora@example.org;\r\n" : "") +
    `Subject: ${subjects[n % 8]}${n >= 8 ? ` ${Math.floor(n / 8)}` : ""}\r\n` +
    `Date: ${date}\r\nMessage-ID: <m${n}@example.org>\r\n${reply}` +
    (n % 5 === 0 ? "List-Id: A list <list.example.org>\r\nX-Priority: 1\r\n" : "") +
    (n % 6 === 0
      ? "List-Post: <mailto:list@example.org>\r\nX-Twice: one\r\nX-Twice:  two\r\n"
      : "") +
    (n % 4 === 3 ? multipart(n >> 2) : plain(n));
}

const words = ["$seen", "$flagged", "$answered", "$draft", "project"];

/** Some forty messages in four mailboxes. */
export const samples: readonly Sample[] = Array.from({ length: 40 }, (_x, n) => ({
  id: `m${n}@example.org`,
  text: message(n),
  mailboxes: n % 9 === 0 ? ["Alpha", "Beta"] : [["Alpha", "Beta", "Gamma"][n % 3]],
  keywords: words.filter((_w, k) => (n + k) % (k + 2) === 0),
  receivedAt: new Date(Date.UTC(2027, 3, 1 + (n * 7) % 40, n % 24)).toISOString().replace(
    ".000",
    "",
  ),
}));
