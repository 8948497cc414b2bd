/**
 * What reads input from the network or from files, as functions over bytes. Each must give a value or the
 * error that it documents, for any bytes, in time about linear in their number.
 */
import { parseSconf } from "../../src/config/sconf/sconf.ts";
import { decodeResponse } from "../../src/dns/wire.ts";
import { parseResolvConf } from "../../src/dns/resolv_conf.ts";
import { Cursor, ParseError } from "../../src/imap/parse/cursor.ts";
import { parseFetchItems } from "../../src/imap/parse/fetch.ts";
import { parseList } from "../../src/imap/parse/list.ts";
import { parseNumSet } from "../../src/imap/parse/numset.ts";
import { decodeUtf7 } from "../../src/mail/text/utf7.ts";
import { parseAddressList } from "../../src/mail/address/address.ts";
import { decodeCharset } from "../../src/mail/text/charset.ts";
import { parseDate } from "../../src/mail/header/date.ts";
import { parseDsn } from "../../src/mail/dsn/parse.ts";
import { imapBodyStructure, imapEnvelope } from "../../src/mail/structure/envelope.ts";
import { parseFeedbackReport } from "../../src/mail/dsn/feedback_parse.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { listedLines } from "../../src/mail/header/filter.ts";
import { parseContentType } from "../../src/mail/header/params.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { packStructure, unpackStructure } from "../../src/mail/structure/packed.ts";
import { toSevenBit } from "../../src/mail/outgoing/seven_bit.ts";
import { baseSubject } from "../../src/mail/header/subject.ts";
import { decodeBase64, decodeQuotedPrintable } from "../../src/mail/transfer/transfer.ts";
import { decodeWords } from "../../src/mail/header/words.ts";
import { readClientHello } from "../../src/net/client_hello.ts";
import { readDer, readDerList } from "../../src/net/der.ts";
import { parseIp } from "../../src/net/ip.ts";
import { parseDmarcXml } from "../../src/reports/dmarc.ts";
import { ReportError } from "../../src/reports/errors.ts";
import { parseTlsrptRecord, TlsrptRecordError } from "../../src/reports/report_records.ts";
import { parseTlsReport } from "../../src/reports/tlsrpt.ts";
import { unpack } from "../../src/reports/unpack.ts";
import { parseClientFinal, parseClientFirst } from "../../src/sasl/scram_message.ts";
import { SaslError } from "../../src/sasl/types.ts";
import { DkimKeyError, parseDkimKey } from "../../src/senderauth/dkim_key.ts";
import { DkimSignatureError, parseDkimSignature } from "../../src/senderauth/dkim_signature.ts";
import { parseDmarcRecord } from "../../src/senderauth/dmarc_record.ts";
import { SpfSyntaxError } from "../../src/senderauth/spf_error.ts";
import { parseSpfRecord } from "../../src/senderauth/spf_record.ts";
import { parsePath, PathError } from "../../src/smtp/server/path.ts";
import { parsePolicy, StsError } from "../../src/tlspolicy/sts_policy.ts";
import { sanitizeMessageHtml } from "../../src/web/webmail/html/sanitize.ts";

/** A function over bytes; throws only what `allowed` knows. */
export interface Target {
  run: (bytes: Uint8Array) => unknown;
  /** Errors that are answers. */
  allowed?: readonly (new (...args: never[]) => Error)[];
  /** Inputs to begin with. */
  seeds: readonly (string | Uint8Array)[];
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();
const text = (fn: (s: string) => unknown) => (b: Uint8Array) => void fn(utf8.decode(b));

const message =
  'From: "Ann, A." <ann@example.org>\r\nTo: undisclosed:;, =?utf-8?q?b=C3=BC?= <b@x.example>\r\n' +
  "Subject: Re: [list] =?iso-8859-1?b?Z3L832U=?=\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100 (CET)\r\n" +
  "Message-ID: <a@b>\r\nReferences: <c@d> <e@f>\r\nMIME-Version: 1.0\r\n" +
  "Content-Type: multipart/mixed; boundary=\"b\"; name*0*=utf-8''a%20; name*1=b\r\n\r\npreamble\r\n--b\r\n" +
  "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
  "aGVsbG8=\r\n--b--\r\nepilogue\r\n";

export const targets: Record<string, Target> = {
  sconf: {
    run: text(parseSconf),
    seeds: ["A: x\nB:\n\tC: y\n\t- z\n# comment\nD:\n\t-\n\t\tE: f\n"],
  },
  addresses: {
    run: text(parseAddressList),
    seeds: ['"a, b" <c@d>, e@[192.0.2.1], g: h@i, j@k;, =?utf-8?q?x?= (c (n)) <@r:l@m>'],
  },
  message: {
    run: (b) => {
      const m = parseMessage(b);
      imapBodyStructure(m.root, true);
      unpackStructure(packStructure(m.root, 3));
      const fields = splitHeader(m.root.header ?? new Uint8Array(0));
      imapEnvelope(fields);
      listedLines([m.root.header ?? new Uint8Array(0)]);
    },
    seeds: [message],
  },
  "message parts": {
    run: (b) => {
      const s = latin1.decode(b);
      decodeWords(s);
      baseSubject(s);
      parseDate(s);
      parseContentType(s);
      decodeBase64(b);
      decodeQuotedPrintable(b);
      for (const c of ["utf-8", "iso-2022-jp", "gb18030", "utf-7", "x-unknown"]) {
        decodeCharset(b, c);
      }
    },
    seeds: [
      "=?utf-8?q?a_=C3=BC?= =?utf-8?b?8J+Y?=",
      "Mon, 1 Jan 70 00:00 EST",
      'text/x; a="b\\"c"',
    ],
  },
  dsn: {
    run: (b) => void parseDsn(b),
    seeds: [
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n" +
      "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\n" +
      "Action: failed\r\nStatus: 5.1.1\r\n--b--\r\n",
    ],
  },
  feedback: {
    run: (b) => void parseFeedbackReport(b),
    seeds: [
      "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n" +
      "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Rcpt-To: <a@b>\r\n" +
      "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <x@y>\r\n\r\n--b--\r\n",
    ],
  },
  "seven bit": {
    run(b) {
      const out = toSevenBit(b);
      if (out?.some((c) => c >= 128)) throw new Error("8-bit text is left");
    },
    seeds: [
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
      "gr\u00fc\u00dfe\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n\u00e4\r\n--b--\r\n",
    ],
  },
  "imap fetch": {
    run: (b) => void parseFetchItems(new Cursor(b)),
    allowed: [ParseError],
    seeds: ['(UID FLAGS BODY.PEEK[1.2.HEADER.FIELDS (A "B")]<0.10> BINARY.SIZE[1])', "ALL"],
  },
  "imap list": {
    run: (b) => void parseList(new Cursor(b)),
    allowed: [ParseError],
    seeds: [' (SUBSCRIBED REMOTE) "" ("a*" %) RETURN (CHILDREN STATUS (MESSAGES UIDNEXT))'],
  },
  "imap sets and names": {
    run: (b) => {
      decodeUtf7(latin1.decode(b));
      parseNumSet(new Cursor(b));
    },
    allowed: [ParseError],
    seeds: ["1:5,7,9:*", "$", "&AOk-x&-", "4294967296"],
  },
  "smtp path": {
    run: (b) =>
      void parsePath(latin1.decode(b), {
        utf8: b.length % 2 === 0,
        pedantic: b.length % 3 === 0,
        localDomain: b.length % 5 === 0 ? "x.example" : undefined,
        postmasterDomain: "x.example",
      }),
    allowed: [PathError],
    seeds: ['<"a b"@example.org>', "<@a,@b:c@d> SIZE=10 BODY=8BITMIME", "<x@[IPv6:::1]>", "<>"],
  },
  spf: {
    run: text(parseSpfRecord),
    allowed: [SpfSyntaxError],
    seeds: [
      "v=spf1 a/24//64 mx:x include:%{ir}.y exists:%{l1r+-}._spf ip6:::1/32 ?all redirect=z exp=e",
    ],
  },
  "dkim signature": {
    run: text(parseDkimSignature),
    allowed: [DkimSignatureError],
    seeds: [
      "v=1; a=rsa-sha256; d=x; s=y; c=relaxed/simple; h=From:To; bh=AAAA; b=BBBB; l=10; t=1; x=2; i=@x",
    ],
  },
  "dkim key": {
    run: text(parseDkimKey),
    allowed: [DkimKeyError],
    seeds: [
      "v=DKIM1; k=ed25519; h=sha256; s=email; t=y:s; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ],
  },
  dmarc: {
    run: text(parseDmarcRecord),
    seeds: [
      "v=DMARC1; p=reject; sp=none; pct=50; adkim=s; rua=mailto:a@b!10m,mailto:c@d; fo=1:d; ri=3600",
    ],
  },
  "mta-sts policy": {
    run: text(parsePolicy),
    allowed: [StsError],
    seeds: ["version: STSv1\nmode: enforce\nmx: *.x\nmax_age: 86400\n"],
  },
  "tlsrpt record": {
    run: text(parseTlsrptRecord),
    allowed: [TlsrptRecordError],
    seeds: ["v=TLSRPTv1; rua=mailto:a@b,https://c/d"],
  },
  "dmarc report": {
    run: parseDmarcXml,
    allowed: [ReportError],
    seeds: [
      '<?xml version="1.0"?><feedback><report_metadata><org_name>x</org_name><report_id>1</report_id>' +
      "<date_range><begin>1</begin><end>2</end></date_range></report_metadata><policy_published>" +
      "<domain>d</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>" +
      "<count>2</count></row></record></feedback>",
    ],
  },
  "tls report": {
    run: parseTlsReport,
    allowed: [ReportError],
    seeds: [
      '{"date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-02T00:00:00Z"},' +
      '"policies":[{"policy":{"policy-type":"sts","policy-domain":"x"},"summary":{}}]}',
    ],
  },
  unpack: {
    run: (b) => void unpack(b, 100_000),
    allowed: [ReportError],
    seeds: [
      Uint8Array.from(atob("H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA=="), (c) => c.charCodeAt(0)),
      Uint8Array.of(
        0x50,
        0x4b,
        3,
        4,
        10,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        97,
      ),
    ],
  },
  "dns answer": {
    run: (b) => void decodeResponse(b, 1, "a.example", "A"),
    // What can't be read of an answer with the right id is an error, of whatever kind.
    allowed: [Error],
    seeds: [
      Uint8Array.of(
        0,
        1,
        129,
        128,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        0,
        1,
        97,
        7,
        101,
        120,
        97,
        109,
        112,
        108,
        101,
        0,
        0,
        1,
        0,
        1,
        192,
        12,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        60,
        0,
        4,
        192,
        0,
        2,
        1,
      ),
    ],
  },
  "resolv.conf": {
    run: text(parseResolvConf),
    seeds: ["nameserver 127.0.0.1\nnameserver [::1]:53\n"],
  },
  scram: {
    run: (b) => {
      for (const parse of [parseClientFirst, parseClientFinal]) {
        try {
          parse(b);
        } catch (err) {
          if (!(err instanceof SaslError)) throw err;
        }
      }
    },
    seeds: ["n,a=x,n=user=2C,r=abc", "p=tls-server-end-point,,n=u,r=x", "c=biws,r=abcdef,p=AAAA"],
  },
  "tls hello": {
    run: (b) => void readClientHello(b),
    seeds: [
      Uint8Array.of(
        22,
        3,
        1,
        0,
        45,
        1,
        0,
        0,
        41,
        3,
        3,
        ...new Uint8Array(32),
        0,
        0,
        2,
        19,
        1,
        1,
        0,
      ),
    ],
  },
  der: {
    run: (b) => {
      readDer(b);
      readDerList(b);
    },
    seeds: [Uint8Array.of(0x30, 0x82, 0, 5, 2, 3, 1, 0, 1), Uint8Array.of(0x30, 0x80, 0, 0)],
  },
  ip: { run: text(parseIp), seeds: ["192.0.2.1", "2001:db8::1%eth0", "::ffff:1.2.3.4"] },
  html: {
    run: text((s) => {
      const out = sanitizeMessageHtml(s, {
        external: false,
        inline: (id) => id.length % 2 === 0 ? `part/${id}` : undefined,
      }).html;
      // Text is escaped: "<" begins a tag.
      const tag = /<(script|iframe|object|embed|svg|math|style|form|link|meta|base)\b/i;
      // Values are quoted, and quotes in them escaped: what stands in one is no attribute.
      const bare = out.replace(/="[^"]*"/g, '=""');
      const url = /<[^>]+\s(?:href|src|action|background)="\s*javascript:/i;
      if (tag.test(out) || /<[^>]+\son[a-z]+\s*=/i.test(bare) || url.test(out)) {
        throw new Error(`not clean: ${out.slice(0, 200)}`);
      }
    }),
    seeds: [
      '<div style="background:url(x)" onclick=a()><a href="java\tscript:x">y</a><svg><script>z</script></svg>' +
      "<!--[if IE]><script>x</script><![endif]--><img src=x onerror=y><style>@import 'z'</style></div>",
    ],
  },
};
