/** Fuzz targets: what a peer says in an exchange of lines. @module */
import { verifyChain } from "../../src/tlspolicy/dane.ts";
import { parseDateTime, parseParameters } from "../../src/smtp/server/parameters.ts";
import { parseXclient } from "../../src/smtp/server/commands/xclient.ts";
import { SmtpError } from "../../src/smtp/server/errors.ts";
import { ProxyHeaderError, readProxyHeader } from "../../src/net/proxied/header.ts";
import { parseExtensions, ReplyError, ReplyParser } from "../../src/smtp/client/mod.ts";
import { parseUrl } from "../../src/imap/server/messages/url.ts";
import { parseAuthorizedUrl } from "../../src/imap/server/messages/authorized_url.ts";
import { Cursor, ParseError } from "../../src/imap/parse/cursor.ts";
import { parseSearchKey } from "../../src/imap/parse/search.ts";
import { parseRights } from "../../src/store/mailboxes/rights.ts";
import { cramMd5Client, cramMd5Server } from "../../src/sasl/crammd5.ts";
import { deriveCredentials } from "../../src/sasl/credentials.ts";
import { loginServer, plainServer } from "../../src/sasl/plain.ts";
import { scramClient, scramServer } from "../../src/sasl/scram.ts";
import { type SaslBackend, SaslError, type ServerMechanism } from "../../src/sasl/types.ts";
import { decodeResponse } from "../../src/dns/wire.ts";
import { ArcError, collectArcSets } from "../../src/senderauth/arc_sets.ts";
import { readAuthservId, stripForgedResults } from "../../src/senderauth/forged_results.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { certificate } from "../smtp/talk.ts";
import type { Target } from "./targets.ts";

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** Lines of an input. */
function lines(b: Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i <= b.length; i++) {
    if (i < b.length && b[i] !== 0x0a) continue;
    list.push(b.subarray(from, i));
    from = i + 1;
  }
  return list;
}

const credentials = await deriveCredentials("secret");
const backend: SaslBackend = {
  checkPassword: (_u, p) => Promise.resolve(p === "secret" ? "password" : undefined),
  scramCredentials: (u, m) =>
    Promise.resolve(
      u === "ann"
        ? m === "SCRAM-SHA-1" ? credentials.scramSha1 : credentials.scramSha256
        : undefined,
    ),
  cramMd5Credentials: (u) => Promise.resolve(u === "ann" ? credentials.cramMd5 : undefined),
};

/** Lets a mechanism take the lines as responses, until it is done or refuses. */
async function exchange(m: ServerMechanism, b: Uint8Array): Promise<void> {
  for (const line of lines(b).slice(0, 5)) {
    const step = await m.step(line);
    if ("username" in step) return;
  }
}

const der = Uint8Array.from(
  atob(certificate.cert.replace(/-----[^-]+-----|\s/g, "")),
  (c) => c.charCodeAt(0),
);

export const exchangeTargets: Record<string, Target> = {
  "proxy header": {
    run: readProxyHeader,
    allowed: [ProxyHeaderError],
    seeds: [
      "PROXY TCP4 192.0.2.7 198.51.100.9 4660 25\r\n",
      "PROXY TCP6 2001:db8::7 2001:db8::9 4660 25\r\n",
      Uint8Array.fromHex(
        "0d0a0d0a000d0a515549540a21110028c0000207c633640912340019" +
          "20000f010000000021000754" + "4c5376312e33" + "010004696d6170",
      ),
    ],
  },
  xclient: {
    run: (b) => parseXclient(utf8.decode(b)),
    allowed: [SmtpError],
    seeds: ["NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=1 LOGIN=a+40b PROTO=ESMTP HELO=x"],
  },
  "smtp replies": {
    run: (b) => {
      const parser = new ReplyParser();
      for (const line of lines(b)) {
        const reply = parser.push(line);
        if (reply) parseExtensions(reply.lines);
      }
    },
    allowed: [ReplyError],
    seeds: [
      "220 x ESMTP\n250-x\n250-SIZE 1000\n250-AUTH PLAIN LOGIN\n250-LIMITS RCPTMAX=10\n250 SMTPUTF8\n" +
      "550 5.1.1 no\n",
    ],
  },
  "smtp parameters": {
    run: (b) => {
      const s = latin1.decode(b);
      parseParameters(s, ["SIZE", "BODY", "RET", "ENVID", "HOLDFOR", "NOTIFY", "ORCPT"]);
      parseDateTime(s, "HOLDUNTIL");
    },
    allowed: [SmtpError],
    seeds: [
      "SIZE=10 BODY=8BITMIME RET=HDRS ENVID=a+2Bb HOLDFOR=10",
      "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b",
      "2026-11-23T10:00:00Z",
    ],
  },
  "imap search": {
    run: (b) => {
      const ctx = {
        keys: 0,
        modseq: false,
        sequenceNumbers: false,
        idSuffix: "",
        decode: (t: Uint8Array) => utf8.decode(t),
      };
      parseSearchKey(new Cursor(b), ctx);
    },
    allowed: [ParseError],
    seeds: [
      '(OR FROM "a" NOT (SINCE 1-Jan-2026 BODY x)) UID 1:5,7 LARGER 10',
      'MODSEQ "/flags/\\\\seen" all 5 FUZZY SUBJECT x EMAILID E1 WITHIN OLDER 10 SAVEDSINCE 1-Feb-2025',
    ],
  },
  "imap urls": {
    run: (b) => {
      const s = latin1.decode(b);
      parseUrl(s);
      parseAuthorizedUrl(s);
      parseRights(s);
    },
    seeds: [
      "imap://ann@x.example/INBOX;UIDVALIDITY=5/;UID=20/;SECTION=1.2;expire=2026-11-23T10:00:00Z;" +
      "urlauth=user+ann:internal:91354a473744909de610943775f92038",
      "/a%2Fb/;UID=1/;PARTIAL=0.100",
    ],
  },
  "sasl scram": {
    run: async (b) => {
      await exchange(scramServer("SCRAM-SHA-256", backend, new Map()), b);
    },
    allowed: [SaslError],
    seeds: ["n,,n=ann,r=abcdef\nc=biws,r=abcdefxyz,p=AAAA\n", "y,a=bob,n=ann=2C,r=x\n"],
  },
  "sasl plain, login, cram-md5": {
    run: async (b) => {
      for (const make of [plainServer, loginServer]) {
        await exchange(make(backend), b).catch((err) => {
          if (!(err instanceof SaslError)) throw err;
        });
      }
      const cram = cramMd5Server(backend, "x.example");
      await cram.step(undefined);
      await exchange(cram, b);
    },
    allowed: [SaslError],
    seeds: ["\0ann\0secret\n", "ann\nsecret\n", "ann 0123456789abcdef0123456789abcdef\n"],
  },
  "sasl clients": {
    run: async (b) => {
      const scram = scramClient("SCRAM-SHA-1", { username: "ann", password: "secret" });
      const [first, second] = lines(b);
      const answer = await cramMd5Client("ann", "secret").step(first);
      if (answer.length === 0) throw new Error("no answer");
      await scram.step(first);
      await scram.step(second ?? first);
    },
    allowed: [SaslError],
    seeds: ["r=abc,s=QUJD,i=4096\nv=AAAA\n", "<1.2@x>\n"],
  },
  "tlsa answer": {
    run: (b) => void decodeResponse(b, 1, "a.example", "TLSA"),
    // What can't be read of an answer with the right id is an error, of whatever kind.
    allowed: [Error],
    seeds: [
      Uint8Array.of(
        ...[0, 1, 129, 160, 0, 1, 0, 1, 0, 0, 0, 0, 1, 97, 7, 101, 120, 97, 109, 112, 108, 101, 0],
        ...[0, 52, 0, 1, 192, 12, 0, 52, 0, 1, 0, 0, 0, 60, 0, 7, 3, 1, 1, 1, 2, 3, 4],
      ),
    ],
  },
  "tlsa and chain": {
    run: (b) => {
      const [usage = 3, selector = 1, matching = 1] = b;
      const data = b.subarray(3, 40);
      const record = { usage: usage % 5, selector: selector % 3, matchingType: matching % 4, data };
      verifyChain([record], [b.subarray(40), der], ["x.example"], 0);
      verifyChain([record], [der, b.subarray(40)], ["x.example"], 0);
    },
    seeds: [Uint8Array.of(3, 1, 1, ...new Uint8Array(37), ...der.subarray(0, 200))],
  },
  "arc and results": {
    run: (b) => {
      stripForgedResults(b, "mail.example");
      readAuthservId(latin1.decode(b));
      collectArcSets(scanHeader(b));
    },
    allowed: [ArcError],
    seeds: [
      "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x; s=y; b=AAAA\r\n" +
      "ARC-Message-Signature: i=1; a=rsa-sha256; d=x; s=y; h=From; bh=AAAA; b=BBBB\r\n" +
      "ARC-Authentication-Results: i=1; mail.example; spf=pass\r\n" +
      "Authentication-Results: mail.example 1; dkim=pass (x)\r\nFrom: a@b\r\n\r\n",
    ],
  },
};
