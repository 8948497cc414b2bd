/** Hosts that misbehave, each in its own way, and what is to become of mail to them. */
import type { Zone } from "../../src/dns/mod.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";

const untrusted = await selfSignedCertificate({ names: ["elsewhere.example"] });

/** A host of the table. */
export interface Row {
  domain: string;
  host?: FakeOptions;
  /** In place of an MX record to the host. */
  zone?: (ip: string) => Zone;
  to?: string[];
  header?: string;
  body?: string;
  /** Of each recipient: "delivered", or the bounce. */
  ends: string[];
  /** Attempts that the first recipient takes, at most 9. */
  attempts?: number;
  /** How often the host has what was delivered: once, but if nobody can know that it has it. */
  copies?: number;
  /** How it misbehaves, for the table that is printed. */
  what: string;
}

const once = (answer: string) => {
  let first = true;
  return () => {
    if (!first) return undefined;
    first = false;
    return answer;
  };
};

const long = "x".repeat(5000);
const lines = (n: number) =>
  Array.from({ length: n }, (_, i) => `250-line ${i}`).join("\n") + "\n250 ok";
export const manners = ["PIPELINING", "8BITMIME"];
const delivered = (n: number) => new Array<string>(n).fill("delivered");

/** Takes a moment for each answer. */
const slow = async () => {
  await new Promise((r) => setTimeout(r, 30));
  return undefined;
};

/** Where a host refuses MAIL for ever. */
export const fullForEver = "127.7.1.250";

export const rows: Row[] = [
  { what: "well-behaved", domain: "good.example", host: {}, ends: ["delivered"] },
  // ---- refusals
  {
    what: "greylists (4xx to RCPT)",
    domain: "grey.example",
    host: { rcpt: once("451 4.7.1 greylisted, come again") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "421 as greeting",
    domain: "busy.example",
    host: { greeting: once("421 4.3.2 too busy") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "421 to RCPT",
    domain: "leaves.example",
    host: { rcpt: once("421 4.3.2 going down") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "452 to MAIL",
    domain: "full.example",
    host: { mail: once("452 4.3.1 disk full") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "5xx to RCPT",
    domain: "gone.example",
    host: { rcpt: () => "550 5.1.1 no such user" },
    ends: ["550 5.1.1"],
  },
  {
    what: "5xx to MAIL",
    domain: "sender.example",
    host: { mail: () => "553 5.1.8 not from you" },
    ends: ["553 5.1.8"],
  },
  {
    what: "5xx to DATA",
    domain: "nodata.example",
    host: { data: () => "554 5.5.1 no" },
    ends: ["554 5.5.1"],
  },
  {
    what: "5xx to the message",
    domain: "refuses.example",
    host: { message: () => "554 5.7.1 spam" },
    ends: ["554 5.7.1"],
  },
  {
    what: "5xx as greeting",
    domain: "noservice.example",
    host: { greeting: () => "554 5.3.2 no mail here" },
    ends: ["554 5.3.2"],
  },
  {
    what: "5xx to EHLO and HELO",
    domain: "nohello.example",
    host: { ehlo: () => "502 what?", helo: () => "554 5.7.1 not you" },
    ends: ["554 5.7.1"],
  },
  {
    what: "4xx for ever",
    domain: "never.example",
    host: { data: () => "451 4.3.0 never" },
    ends: ["451 4.3.0"],
    attempts: 9,
  },
  {
    what: "one of five refused",
    domain: "five.example",
    host: { rcpt: (l) => l.includes("c@") ? "550 5.1.1 no such user" : undefined },
    to: ["a", "b", "c", "d", "e"],
    ends: ["delivered", "delivered", "550 5.1.1", "delivered", "delivered"],
  },
  // ---- connections that end
  {
    what: "nobody listens",
    domain: "dead.example",
    zone: () => ({ "dead.example": { A: ["127.9.9.8"] } }),
    ends: ["451 4.4.1"],
    attempts: 9,
  },
  ...(["greeting", "ehlo", "mail", "rcpt", "data", "during"] as const).map((phase): Row => ({
    what: phase === "during" ? "drops within the message" : `drops at ${phase}`,
    domain: `drop${phase}.example`,
    host: { [phase]: once("drop") },
    ends: ["delivered"],
    attempts: 2,
  })),
  {
    what: "drops after the dot, kept nothing",
    domain: "loses.example",
    host: { message: once("lose") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "drops after the dot, kept it",
    domain: "keeps.example",
    host: { message: once("drop") },
    ends: ["delivered"],
    attempts: 2,
    copies: 2,
  },
  {
    what: "drops at QUIT",
    domain: "dropquit.example",
    host: { quit: () => "drop" },
    ends: ["delivered"],
  },
  {
    what: "silent at QUIT",
    domain: "hangquit.example",
    host: { quit: () => "hang" },
    ends: ["delivered"],
  },
  ...(["greeting", "ehlo", "mail", "rcpt", "data"] as const).map((phase): Row => ({
    what: `silent at ${phase}`,
    domain: `hang${phase}.example`,
    host: { [phase]: once("hang") },
    ends: ["delivered"],
    attempts: 2,
  })),
  {
    what: "silent after the dot, kept nothing",
    domain: "hangmessage.example",
    host: { message: once("hang") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "slow at each answer",
    domain: "slow.example",
    host: { greeting: slow, ehlo: slow, mail: slow, rcpt: slow, data: slow, message: slow },
    ends: ["delivered"],
  },
  // ---- odd answers
  {
    what: "answers of many lines",
    domain: "lines.example",
    host: {
      greeting: () => "220-good\n220-morning\n220 fake ESMTP",
      mail: () => lines(50),
      rcpt: () => lines(100),
      message: () => lines(10),
    },
    ends: ["delivered"],
  },
  {
    what: "answers without text",
    domain: "bare.example",
    host: { mail: () => "250", rcpt: () => "250" },
    ends: ["delivered"],
  },
  {
    what: "garbage as greeting",
    domain: "http.example",
    host: { greeting: () => "HTTP/1.1 400 Bad Request" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "garbage to MAIL",
    domain: "garbage.example",
    host: { mail: () => "HTTP/1.1 400" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "overlong line",
    domain: "long.example",
    host: { mail: () => `250 ${long}` },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "endless answer",
    domain: "endless.example",
    host: { ehlo: () => lines(500) },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "two codes in one answer",
    domain: "codes.example",
    host: { rcpt: () => "250-yes\n550 no" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "354 to RCPT",
    domain: "odd.example",
    host: { rcpt: () => "354 go on" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  // ---- extensions that are missing, or have limits
  {
    what: "HELO only",
    domain: "helo.example",
    host: { ehlo: () => "502 5.5.1 what?" },
    ends: ["delivered"],
  },
  {
    what: "no PIPELINING",
    domain: "nopipe.example",
    host: { extensions: ["8BITMIME"] },
    to: ["a", "b"],
    ends: delivered(2),
  },
  {
    what: "no 8BITMIME, 8-bit text",
    domain: "no8bit.example",
    host: { extensions: ["PIPELINING"] },
    body: "gr\u00fc\u00dfe\r\n",
    ends: ["delivered"],
  },
  {
    what: "no 8BITMIME, 8-bit text in a kind that can't be encoded",
    domain: "cannot8bit.example",
    host: { extensions: ["PIPELINING"] },
    header: "Content-Type: message/partial\r\n",
    body: "gr\u00fc\u00dfe\r\n",
    ends: ["554 5.6.3"],
  },
  {
    what: "no SMTPUTF8, one address needs it",
    domain: "noutf8.example",
    host: {},
    to: ["a", "j\u00f6rg"],
    ends: ["delivered", "550 5.6.7"],
  },
  {
    what: "SIZE too small",
    domain: "small.example",
    host: { extensions: ["PIPELINING", "SIZE 20"] },
    ends: ["552 5.3.4"],
  },
  {
    what: "LIMITS RCPTMAX=2",
    domain: "limits.example",
    host: { extensions: ["PIPELINING", "LIMITS RCPTMAX=2"] },
    to: ["a", "b", "c", "d", "e"],
    ends: delivered(5),
  },
  {
    what: "452 to each third RCPT",
    domain: "toomany.example",
    host: {
      rcpt: (() => {
        let n = 0;
        return () => n++ % 3 === 2 ? "452 4.5.3 too many recipients" : undefined;
      })(),
    },
    to: ["a", "b", "c", "d"],
    ends: delivered(4),
  },
  // ---- TLS
  {
    what: "certificate of another name",
    domain: "badcert.example",
    host: { certificate: untrusted },
    ends: ["delivered"],
  },
  {
    what: "certificate of another name, MTA-STS",
    domain: "badcert.enforced.example",
    host: { certificate: untrusted },
    ends: ["451 4.7.5"],
    attempts: 9,
  },
  {
    what: "drops at STARTTLS",
    domain: "brokentls.example",
    host: { certificate: untrusted, starttls: () => "drop" },
    ends: ["delivered"],
  },
  {
    what: "STARTTLS stripped",
    domain: "stripped.example",
    host: {},
    ends: ["delivered"],
  },
  {
    what: "STARTTLS stripped, MTA-STS",
    domain: "stripped.enforced.example",
    host: {},
    ends: ["451 4.7.4"],
    attempts: 9,
  },
  // ---- DNS
  {
    what: "null MX",
    domain: "nullmx.example",
    zone: () => ({ "nullmx.example": { MX: ["0 ."] } }),
    ends: ["556 5.1.10"],
  },
  {
    what: "MX to a CNAME",
    domain: "cname.example",
    host: {},
    zone: (ip) => ({
      "cname.example": { MX: ["10 alias.cname.example"] },
      "alias.cname.example": { CNAME: "real.cname.example" },
      "real.cname.example": { A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    what: "CNAME to itself",
    domain: "cnameloop.example",
    zone: () => ({ "cnameloop.example": { CNAME: "cnameloop.example" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    what: "no MX, A only",
    domain: "implicit.example",
    host: {},
    zone: (ip) => ({ "implicit.example": { A: [ip] } }),
    ends: ["delivered"],
  },
  { what: "no such domain", domain: "nowhere.example", ends: ["550 5.1.2"], zone: () => ({}) },
  {
    what: "MX without address",
    domain: "noaddress.example",
    zone: () => ({ "noaddress.example": { MX: ["10 mx.noaddress.example"] } }),
    ends: ["550 5.4.4"],
  },
  {
    what: "SERVFAIL",
    domain: "servfail.example",
    zone: () => ({ "servfail.example": { fail: "servfail" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    what: "MX names this host",
    domain: "loop.example",
    zone: () => ({ "loop.example": { MX: ["10 mail.mox.example", "20 other.example"] } }),
    ends: ["550 5.4.6"],
  },
  {
    what: "first MX dead, second without IPv6",
    domain: "fallback.example",
    host: {},
    // At the first address nobody listens.
    zone: (ip) => ({
      "fallback.example": { MX: ["10 dead.fallback.example", "20 mx.fallback.example"] },
      "dead.fallback.example": { A: ["127.9.9.9"] },
      "mx.fallback.example": { AAAA: ["::1"], A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    what: "first MX takes no message now",
    domain: "backup.example",
    host: {},
    // The host of the row for MAIL refused for ever, under another name.
    zone: (ip) => ({
      "backup.example": { MX: ["10 first.backup.example", "20 second.backup.example"] },
      "first.backup.example": { A: [fullForEver] },
      "second.backup.example": { A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    what: "name beyond ASCII",
    domain: "b\u00fccher.example",
    host: {},
    zone: (ip) => ({ "xn--bcher-kva.example": { A: [ip] } }),
    ends: ["delivered"],
  },
];
