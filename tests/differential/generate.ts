/**
 * Messages as they should be, and as they are in the wild: put together by the rules of RFC 5322, 2045 to 2047 and
 * 2231, with what the rules allow and few write, and what they don't allow and some write.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A generator of numbers from 0 up to n. */
export type Random = (n: number) => number;

/** The same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let s = seed >>> 0 || 1;
  return (n) => {
    s ^= s << 13;
    s >>>= 0;
    s ^= s >>> 17;
    s ^= s << 5;
    s >>>= 0;
    return s % n;
  };
}

const words = [
  "hello",
  "world",
  "invoice",
  "Grüße",
  "naïve",
  "日本",
  "привет",
  "a.b",
  "x=y",
  "50%",
];

class Writer {
  readonly random: Random;
  /** What is odd about the message, by kind. */
  readonly odd = new Set<string>();

  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random(list.length)];
  }
  chance(percent: number): boolean {
    return this.random(100) < percent;
  }
  /** One of the forms; the first is the common one, others are odd in their way. */
  form(forms: readonly [text: string, odd?: string][], percent = 25): string {
    const [text, odd] = this.chance(percent) ? this.pick(forms) : forms[0];
    if (odd) this.odd.add(odd);
    return text;
  }
  text(): string {
    return Array.from({ length: 1 + this.random(5) }, () => this.pick(words)).join(" ");
  }

  encodedWord(s: string): string {
    // deno-lint-ignore no-control-regex -- all of ASCII
    if (/^[\x00-\x7f]*$/.test(s)) return s;
    if (this.chance(60)) return `=?utf-8?b?${Buffer.from(s).toString("base64")}?=`;
    const q = Array.from(
      Buffer.from(s),
      (b) =>
        /[A-Za-z0-9]/.test(String.fromCharCode(b))
          ? String.fromCharCode(b)
          : b === 32
          ? "_"
          : `=${b.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join("");
    return `=?UTF-8?Q?${q}?=`;
  }

  comment(): string {
    return this.form([[""], [" (a comment)", "comment"], ["(no blank)", "comment"]], 15);
  }

  parameter(name: string, value: string): string {
    const token = /^[A-Za-z0-9._-]+$/.test(value);
    const plain = `${name}=${token ? value : `"${value}"`}`;
    return this.form([
      [plain],
      [`${name.toUpperCase()}="${value}"`],
      [`${name} = "${value}"`, "blanks beside ="],
      ...(token ? [[`${name}=${value}${this.comment()}`] as [string]] : []),
    ]);
  }

  fileName(): string {
    const name = this.pick(["a.pdf", "my file.pdf", "März.pdf", "日本.txt", "x;y.pdf", "q'q.pdf"]);
    // deno-lint-ignore no-control-regex -- all of ASCII
    if (/^[\x00-\x7f]*$/.test(name)) return this.parameter("filename", name);
    const percent = Array.from(
      Buffer.from(name),
      (b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`,
    );
    const all = percent.join("");
    const half = Math.floor(percent.length / 2);
    return this.form([
      [`filename*=utf-8''${all}`],
      [`filename*0*=utf-8''${percent.slice(0, half).join("")}; filename*1*=${
        percent.slice(half).join("")
      }`],
      [`filename="${this.encodedWord(name)}"`, "encoded word in a parameter"],
    ], 60);
  }

  encode(bytes: Buffer): { encoding: string; body: string } {
    const latin1 = bytes.toString("latin1");
    switch (this.random(4)) {
      case 0:
        return {
          encoding: this.form([["base64"], ["BASE64"], ["base64 (c)", "comment in encoding"]]),
          body: bytes.toString("base64").replace(/.{76}/g, "$&\r\n"),
        };
      case 1:
        return {
          encoding: this.form([["quoted-printable"], ["Quoted-Printable"]]),
          body: Array.from(
            latin1,
            (c) =>
              c === "\r" || c === "\n"
                ? c
                : /[ -<>-~]/.test(c)
                ? c
                : `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
          ).join("").replace(/ (?=\r\n)/g, "=20"),
        };
      case 2:
        return {
          encoding: this.form([["8bit"], ["8-bit", "misspelt encoding"], ["binary"]]),
          body: latin1,
        };
      default:
        return { encoding: "", body: latin1 };
    }
  }

  leaf(): string {
    const html = this.chance(30);
    const file = this.chance(25);
    const text = html ? `<p>${this.text()}</p>\r\n` : `${this.text()}\r\n${this.text()}\r\n`;
    const type = file ? "application/pdf" : html ? "text/html" : "text/plain";
    const separator = this.form([["; "], [";\r\n\t"], [" ; "], [";"]]);
    let fields = this.form([
      [`Content-Type: ${type}${separator}${this.parameter("charset", "utf-8")}`],
      [`content-type:${type}${separator}${this.parameter("charset", "utf-8")}`],
      [`Content-Type: ${type.toUpperCase()}${separator}${this.parameter("charset", "UTF-8")}`],
      [`Content-Type: ${type} ${this.parameter("charset", "utf-8")}`, "no semicolon"],
    ], 20) + "\r\n";
    if (file) {
      fields += this.form([
        [`Content-Disposition: attachment; ${this.fileName()}\r\n`],
        [`Content-Disposition: attachment;\r\n ${this.fileName()}\r\n`],
      ]);
    }
    const { encoding, body } = this.encode(Buffer.from(text));
    if (encoding !== "") fields += `Content-Transfer-Encoding: ${encoding}\r\n`;
    return `${fields}\r\n${body}`;
  }

  entity(depth: number): string {
    if (depth > 0 && this.chance(10)) {
      this.odd.add("message within");
      return `Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n${this.leaf()}`;
    }
    if (depth >= 3 || this.chance(depth === 0 ? 25 : 60)) return this.leaf();
    const boundary = this.pick(["b1", "=_x", "----=_Part_1", "a'b"]) + depth;
    const parts = Array.from({ length: 1 + this.random(3) }, () => this.entity(depth + 1));
    const kind = this.pick(["mixed", "alternative", "related"]);
    const blank = this.form([[""], ["  ", "blanks behind a boundary"]], 10);
    const preamble = this.chance(20) ? "preamble\r\n" : "";
    const close = this.form([[`\r\n--${boundary}--\r\n`], ["", "no closing boundary"], [
      `\r\n--${boundary}--\r\nepilogue\r\n`,
    ]], 20);
    const encoding = this.form([[""], ["Content-Transfer-Encoding: 7bit\r\n"], [
      "Content-Transfer-Encoding: quoted-printable\r\n",
      "encoding of a multipart",
    ]], 15);
    return `Content-Type: multipart/${kind}; ${
      this.parameter("boundary", boundary)
    }\r\n${encoding}\r\n${preamble}` +
      parts.map((p, i) => `${i > 0 ? "\r\n" : ""}--${boundary}${blank}\r\n${p}`).join("") + close;
  }

  address(): string {
    const name = this.pick(["Ann", "Ann Lee", "Jürgen Müller", "O'Neil, B.", ""]);
    const mailbox = this.form([
      ["ann@a.example"],
      ["a.b+c@a.example"],
      ['"a b"@a.example', "quoted localpart"],
      ["ann(comment)@a.example", "comment in an address"],
      ["ann@[192.0.2.1]", "domain literal"],
    ]);
    if (name === "") return mailbox;
    const phrase = /[,.]/.test(name) ? `"${name}"` : this.encodedWord(name);
    return `${phrase} <${mailbox}>`;
  }

  message(): string {
    const subject = this.encodedWord(this.text());
    const list = Array.from({ length: 1 + this.random(3) }, () => this.address()).join(
      this.pick([", ", ",\r\n "]),
    );
    return `From: ${this.address()}\r\n${this.pick(["To", "TO", "to"])}: ${list}\r\n` +
      `Subject: ${subject}\r\nDate: Mon, 23 Nov 2026 10:11:12 +0100\r\nMIME-Version: 1.0${this.comment()}\r\n` +
      this.entity(0);
  }
}

/** A message, and what is odd about it. */
export interface Generated {
  bytes: Uint8Array;
  odd: ReadonlySet<string>;
}

/** The next message. Text that isn't encoded is UTF-8. */
export function generate(random: Random): Generated {
  const w = new Writer(random);
  const text = w.message();
  // Bodies stand there as bytes already, and headers are ASCII.
  return { bytes: new Uint8Array(Buffer.from(text, "latin1")), odd: w.odd };
}
