/** Fuzz targets: files that a user gives, and what a browser or a program sends. @module */
import * as v from "valibot";
import { join } from "node:path";
import { archiveSource, lookThrough } from "../../src/store/import/archive/source.ts";
import { openArchive } from "../../src/store/import/archive/open.ts";
import { ArchiveError } from "../../src/store/import/archive/types.ts";
import { unpacked } from "../../src/store/import/compressed.ts";
import { packed } from "../support/packed.ts";
import { bodies, packedRtf, winmail, winmailMessage } from "../mail/winmail.ts";
import { tnefFiles } from "../../src/mail/transfer/tnef.ts";
import { parseCyrusHeader } from "../../src/store/import/cyrus/header.ts";
import { parseCyrusIndex } from "../../src/store/import/cyrus/index_file.ts";
import { cyrusNameOf } from "../../src/store/import/cyrus/spool.ts";
import { parseDovecotKeywords } from "../../src/store/import/maildir.ts";
import { flagsOf } from "../../src/store/import/sources.ts";
import { MboxError, mboxMessages } from "../../src/mail/mbox/read.ts";
import { parseMessageIds } from "../../src/mail/header/messageid.ts";
import { htmlText } from "../../src/mail/text/html_text.ts";
import { methods } from "../../src/web/webapi/schemas.ts";
import { parseRange } from "../../src/web/webserver/range.ts";
import { calls } from "../../webmail/api/mod.ts";
import { parseSearch } from "../../webmail/mail/search/syntax.ts";
import {
  Challenges,
  checkNewPasskey,
  checkPasskeyLogin,
  PasskeyError,
} from "../../src/web/login/webauthn.ts";
import { ReportError } from "../../src/reports/errors.ts";
import { findDmarcReport, findTlsReport, reportParts } from "../../src/reports/recognise.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import type { Target } from "./targets.ts";

const utf8 = new TextDecoder();
const latin1 = new TextDecoder("latin1");

/** A zip archive with one stored file. */
function zipOf(name: string, content: string): Uint8Array {
  const n = new TextEncoder().encode(name);
  const c = new TextEncoder().encode(content);
  const head = (signature: number[], more: number[], end: number[]) =>
    [
      ...signature,
      ...more,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      c.length,
      0,
      0,
      0,
      c.length,
      0,
      0,
      0,
    ]
      .concat([n.length, 0, 0, 0], end);
  const local = [...head([80, 75, 3, 4], [20, 0], []), ...n, ...c];
  const central = [
    ...head([80, 75, 1, 2], [20, 0, 20, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ...n,
  ];
  const end = [
    80,
    75,
    5,
    6,
    0,
    0,
    0,
    0,
    1,
    0,
    1,
    0,
    central.length,
    0,
    0,
    0,
    local.length,
    0,
    0,
    0,
  ];
  return Uint8Array.from([...local, ...central, ...end, 0, 0]);
}

/** A tar archive with one file. */
function tarOf(name: string, content: string): Uint8Array {
  const block = new Uint8Array(512 * (2 + Math.ceil(content.length / 512)) + 512);
  const put = (at: number, s: string) => block.set(new TextEncoder().encode(s), at);
  put(0, name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\x0000");
  const sum = block.subarray(0, 512).reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  put(512, content);
  return block;
}

const scratch = Deno.makeTempDirSync({ prefix: "fuzz-" });
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

async function archive(b: Uint8Array): Promise<void> {
  const path = join(scratch, "in");
  Deno.writeFileSync(path, b);
  const contents = await lookThrough(await openArchive(path, "in"));
  for await (const _ of archiveSource(await openArchive(path, "in"), contents)) {
    // What is in it is read, and thrown away.
  }
}

const json = (b: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(b));
  } catch {
    return undefined;
  }
};

const mail =
  "From a@b Mon Jan  1 00:00:00 2024\nSubject: x\nX-Keywords: a b\nStatus: RO\n\n>From y\nx\n";

export const fileTargets: Record<string, Target> = {
  archives: {
    run: archive,
    allowed: [ArchiveError, MboxError],
    seeds: [
      zipOf("a/cur/1:2,S", "Subject: x\n\nx\n"),
      tarOf("Mail/.Sent/cur/1:2,RSa", "Subject: x\n\nx\n"),
      zipOf("x.mbox", mail),
      mail,
    ],
  },
  mbox: {
    run: async (b) => {
      async function* chunks() {
        yield b.subarray(0, b.length >> 1);
        yield b.subarray(b.length >> 1);
      }
      for (const format of ["mboxrd", "mboxo"] as const) {
        for await (const m of mboxMessages(chunks(), format as never)) void m;
      }
    },
    allowed: [MboxError],
    seeds: [mail + mail],
  },
  "packed messages": {
    run: async (b) => void await unpacked(b),
    seeds: [packed.xz, packed.bzip2, packed.lz4],
  },
  "winmail.dat": {
    run: (b) => void tnefFiles(b, true),
    seeds: [winmail, winmailMessage([bodies.rtf(packedRtf), bodies.text("x")], winmail)],
  },
  "files of Cyrus": {
    run: async (b) => {
      parseCyrusHeader(latin1.decode(b));
      cyrusNameOf(latin1.decode(b));
      await parseCyrusIndex(b);
    },
    seeds: [
      'x Cyrus mailbox header\n"..."\n\t--...\n%(T e N "user.a^b.S" I 1 A %(a lrs) U ($A b))\n',
      "x Cyrus mailbox header\n\n\nuser.a\t1\n$A b \na\tlrs\t\n",
      Uint8Array.from(
        { length: 200 },
        (_, i) => i === 11 ? 13 : i === 15 ? 96 : i === 19 ? 96 : i === 23 ? 1 : 0,
      ),
    ],
  },
  "flags and ids": {
    run: (b) => {
      const s = utf8.decode(b);
      parseDovecotKeywords(s);
      flagsOf(s.split(" "));
      parseMessageIds(s);
      parseRange(s, 1000);
      htmlText(s);
    },
    seeds: ["0 work\n1 $Junk\n", "<a@b> (x) <c@d>", "bytes=0-5,-3", "<p>a&amp;<style>x</style>"],
  },
  "webmail search": {
    run: (b) =>
      void v.parse(calls.QueryCount.request, {
        query: {
          mailboxId: null,
          withChildren: false,
          order: "newest",
          threading: "off",
          filter: parseSearch(utf8.decode(b).slice(0, 500)).filter,
        },
      }),
    // More words than a query may have.
    allowed: [v.ValiError],
    seeds: [
      'from:ann -"two words" is:unread has:attachment larger:2MB after:2026-01-02 header:x:y',
    ],
  },
  "web api bodies": {
    run: (b) => {
      const value = json(b);
      for (const m of Object.values(methods)) v.safeParse(m.request, value);
    },
    seeds: [
      '{"From":[{"Name":"a","Address":"a@b"}],"To":[{"Address":"c@d"}],"Subject":"x","Text":"y",' +
      '"AttachedFiles":[{"Name":"f","ContentType":"text/plain","Data":"eA=="}],"FutureRelease":"2026-01-01T00:00:00Z"}',
      '{"MsgID":1,"DestMailboxName":"x","Flags":["\\\\Seen"]}',
    ],
  },
  "calls of the webmail": {
    run: (b) => {
      const value = json(b);
      for (const c of Object.values(calls)) v.safeParse(c.request, value);
    },
    seeds: [
      '{"sseId":"x","view":{"viewId":1,"query":{"mailboxId":null,"withChildren":false,"filter":{"words":["a"]},' +
      '"order":"newest","threading":"on"},"page":{"anchor":null,"count":10}}}',
      '{"target":{"ids":[1,2]},"add":["seen"],"remove":[],"addKeywords":["x"],"removeKeywords":[]}',
    ],
  },
  passkeys: {
    run: (b) => {
      const parts = utf8.decode(b).split("\n");
      const text = (i: number) => new TextEncoder().encode(parts[i] ?? "").toBase64();
      const place = { host: "x.example", hostname: "x.example" };
      const answer = { id: text(0), clientData: text(1), authenticatorData: text(2) };
      const key = { publicKey: b, algorithm: -7, signCount: 0 };
      try {
        checkNewPasskey({ ...answer, publicKey: text(3), algorithm: -7 }, place, new Challenges());
      } catch (err) {
        if (!(err instanceof PasskeyError)) throw err;
      }
      checkPasskeyLogin({ ...answer, signature: text(3) }, key, place, new Challenges());
    },
    allowed: [PasskeyError],
    seeds: ['id\n{"type":"webauthn.get","challenge":"x","origin":"https://x.example"}\nabc\nkey'],
  },
  "report mails": {
    run: (b) => {
      const { root } = parseMessage(b);
      const parts = () => reportParts(root, (from, to) => b.subarray(from, to));
      for (const find of [findDmarcReport, findTlsReport]) {
        try {
          find(parts());
        } catch (err) {
          if (!(err instanceof ReportError)) throw err;
        }
      }
    },
    allowed: [ReportError],
    seeds: [
      "Content-Type: application/gzip; name=r.xml.gz\r\nContent-Transfer-Encoding: base64\r\n\r\nH4sIAA==\r\n",
    ],
  },
};
