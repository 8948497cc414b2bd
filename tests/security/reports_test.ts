/**
 * Public reports of faults in other mail servers, tried against a server as it is shipped: what broke them is
 * answered here, and the same connections and others are served afterwards.
 */
import assert from "node:assert/strict";
import { pause, Peer } from "../hostile/peer.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const authorization = `Basic ${btoa("mox@localhost:moxmoxmox")}`;

async function resident(s: Localserve): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${s.pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** The most memory in megabytes that the server took while something ran, above what it had before. */
async function rise(s: Localserve, run: () => Promise<void>): Promise<number> {
  const before = await resident(s);
  let highest = before;
  const timer = setInterval(async () => {
    highest = Math.max(highest, await resident(s).catch(() => 0));
  }, 50);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return highest - before;
}

async function append(p: Peer, text: string): Promise<void> {
  const all = latin1(text);
  await p.conn.write(bytes(`a APPEND Inbox {${all.length}+}\r\n`));
  await p.send(all);
  assert.match(await p.command("", /^a (?:OK|NO|BAD)[^\n]*\n/m), /^a OK/m);
}

async function jmap(s: Localserve, calls: unknown[]): Promise<string> {
  const r = await fetch(`http://127.0.0.1:${s.http}/jmap/api`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"],
      methodCalls: calls,
    }),
  });
  return await r.text();
}

const head = "From: a@remote.example\r\nTo: b@x\r\nSubject: report\r\nMIME-Version: 1.0\r\n";

/** Parts of type message/rfc822 within each other whose boundaries are those of their parents, cut off, or equal. */
function crossedParts(): string[] {
  const shapes: string[] = [];
  for (
    const boundary of [(i: number) => `b${i % 2}`, () => "same", (i: number) => "b".repeat(i + 1)]
  ) {
    let t = head;
    for (let i = 0; i < 60; i++) {
      t += `Content-Type: multipart/mixed; boundary="${boundary(i)}"\r\n\r\n--${boundary(i)}\r\n` +
        `Content-Type: message/rfc822\r\n\r\nSubject: ${i}\r\n`;
    }
    t += "\r\nend\r\n";
    for (let i = 0; i < 60; i++) t += `--${boundary(i)}--\r\n--${boundary(59 - i)}\r\n`;
    shapes.push(t);
  }
  return shapes;
}

const cases: [string, (s: Localserve) => Promise<void>][] = [
  ["CVE-2025-59045: dates of large events, expanded by a CalDAV REPORT", async (s) => {
    const url = `http://127.0.0.1:${s.http}/dav/calendars/mox/default/`;
    const dav = async (method: string, path: string, body: string, type: string) => {
      const r = await fetch(url + path, {
        method,
        headers: { authorization, "content-type": type, depth: "1" },
        body,
      });
      return { status: r.status, size: (await r.arrayBuffer()).byteLength };
    };
    const lines = Array.from({ length: 14 }, () => ` ${"d".repeat(73)}`).join("\r\n");
    for (let i = 0; i < 5; i++) {
      const made = await dav(
        "PUT",
        `report${i}.ics`,
        `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:report${i}\r\n` +
          `DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nRRULE:FREQ=HOURLY\r\n` +
          `DESCRIPTION:\r\n${lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
        "text/calendar",
      );
      assert.equal(made.status, 201);
    }
    const grew = await rise(s, async () => {
      const range = 'start="20260101T000000Z" end="20270101T000000Z"';
      const r = await dav(
        "REPORT",
        "",
        '<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop>' +
          `<c:calendar-data><c:expand ${range}/></c:calendar-data></d:prop><c:filter>` +
          `<c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range ${range}/>` +
          "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
        "application/xml",
      );
      assert.ok([207, 403, 507].includes(r.status), `${r.status}`);
    });
    assert.ok(grew < 400, `${grew.toFixed(0)} MB`);
  }],
  ["CVE-2026-26312: messages in messages with crossed boundaries, by IMAP and JMAP", async (s) => {
    using p = await Peer.imap(s);
    const grew = await rise(s, async () => {
      for (const t of crossedParts()) await append(p, t);
      await p.command("s SELECT Inbox", /^s OK/m);
      await p.command(
        "f FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW BODY[1.1.1.1.HEADER])",
        /^f OK/m,
      );
      const list = await jmap(s, [
        ["Email/query", { accountId: "mox" }, "0"],
        ["Email/get", {
          accountId: "mox",
          "#ids": { resultOf: "0", name: "Email/query", path: "/ids" },
          properties: ["bodyStructure", "textBody", "attachments", "preview", "bodyValues"],
          fetchAllBodyValues: true,
        }, "1"],
      ]);
      assert.match(list, /"Email\/get"/);
    });
    assert.ok(grew < 200, `${grew.toFixed(0)} MB`);
  }],
  ["CVE-2020-25275: the ten thousandth part is a message", async (s) => {
    using p = await Peer.imap(s);
    let t = `${head}Content-Type: multipart/digest; boundary=b\r\n\r\n`;
    for (let i = 0; i < 10_010; i++) t += `--b\r\n\r\nSubject: ${i}\r\n\r\nx\r\n`;
    await append(p, `${t}--b--\r\n`);
    await p.command("s SELECT Inbox", /^s OK/m);
    await p.command("f FETCH * (BODYSTRUCTURE BODY.PEEK[10000] BODY.PEEK[10000.HEADER])", /^f OK/m);
  }],
  ["CVE-2019-11500: NUL in strings of IMAP and ManageSieve, before and after login", async (s) => {
    using p = await Peer.to(s.imap);
    await p.until(/\n/);
    await p.command(`a LOGIN "mo\0x@localhost" "${"\\\0".repeat(2000)}"`, /^(?:a|\*) (?:BAD|NO)/m);
    await p.command("b NOOP", /^b OK/m);
    using q = await Peer.imap(s);
    await q.command(`a CREATE "x\0${"\\".repeat(3001)}"`, /^(?:a|\*) (?:BAD|NO)/m);
    using m = await Peer.to(s.managesieve);
    await m.until(/^OK/m);
    await m.command(`AUTHENTICATE "PLAIN" "${"\0\\".repeat(500)}"`, /^(?:NO|BYE)/m);
  }],
  ["CVE-2019-11494, CVE-2019-11499: logins broken off, and answers that are none", async (s) => {
    for (let i = 0; i < 20; i++) {
      using p = await Peer.to(s.submission);
      await p.until(/\n/);
      await p.command("EHLO x", /^250 /m);
      await p.conn.write(bytes(`AUTH ${["PLAIN", "LOGIN", "SCRAM-SHA-256"][i % 3]}\r\n`));
      if (i % 2 === 0) await p.until(/^(?:334|5\d\d)/m);
    }
    using p = await Peer.to(s.submission);
    await p.until(/\n/);
    await p.command("EHLO x", /^250 /m);
    for (const answer of ["*", "====", "\0\0", "AAAA".repeat(500)]) {
      await p.command("AUTH PLAIN", /^(?:334|5\d\d)/m);
      await p.command(answer, /^(?:5\d\d|421)/m);
    }
  }],
  ["CVE-2019-10691: a name that is not UTF-8", async (s) => {
    using p = await Peer.to(s.imap);
    await p.until(/\n/);
    const plain = btoa("\0\xff\xfe\xc3(\x80@localhost\0moxmoxmox");
    await p.command(`a AUTHENTICATE PLAIN ${plain}`, /^a (?:NO|BAD)/m);
    await p.conn.write(latin1("b LOGIN {6}\r\n"));
    await p.until(/^(?:\+|b )/m);
    await p.conn.write(latin1("\xff\xfe\xc3(\x80x pw\r\n"));
    await p.until(/^b (?:NO|BAD)/m);
    await p.command("c NOOP", /^c OK/m);
  }],
  ["CVE-2025-26794: SQL in ETRN's argument", async (s) => {
    using p = await Peer.to(s.smtp);
    await p.until(/\n/);
    await p.command("EHLO x", /^250 /m);
    await p.command("ETRN #',1); DROP TABLE tbl; /*", /^50[02]/m);
    await p.command("VRFY ' OR '1'='1", /^(?:25[02]|5\d\d)/m);
    await p.command("RSET", /^250/m);
  }],
  [
    "GHSA-g7hc-96xr-gvvx, CVE-2025-7962: line ends in addresses, also as their low bytes",
    async (s) => {
      using p = await Peer.to(s.smtp);
      await p.until(/\n/);
      await p.command("EHLO x", /^250 /m);
      // U+010A and U+010D end in the bytes of LF and CR, if a program cuts characters to bytes.
      await p.command("MAIL FROM:<a@remote.example> SMTPUTF8", /^250/m);
      // An address as good as any other: one answer, and no second recipient.
      const one = await p.command(
        'RCPT TO:<"\u010d\u010aRCPT TO:<mox@localhost>"@localhost>',
        /\n/,
      );
      assert.match(one, /^(?:250|5\d\d)[^\n]*\n$/);
      await p.command("RSET", /^250 2\.0\.0/m);
      await p.command("MAIL FROM:<a@remote.example>", /^250/m);
      await p.command('RCPT TO:<"a\\\rDATA"@localhost>', /^5\d\d/m);
      await p.command("RCPT TO:<mox@localhost>", /^250/m);
      const r = await fetch(`http://127.0.0.1:${s.http}/webapi/v0/Send`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({
          To: [{ Address: '"a\r\nBcc: x@remote.example"@localhost' }],
          Subject: "s\r\nBcc: y@remote.example",
          Text: "t",
        }),
      });
      assert.ok(r.status >= 400 && r.status < 500, `${r.status}`);
      await r.body?.cancel();
    },
  ],
  ["CVE-2024-23184, CVE-2024-23185: 100,000 addresses, and one field of 5 MB", async (s) => {
    using p = await Peer.imap(s);
    const grew = await rise(s, async () => {
      const many = Array.from(
        { length: 1000 },
        (_, i) => `To: ${"a@x.example, ".repeat(99)}b${i}@x`,
      );
      await append(p, `From: a@x\r\n${many.join("\r\n")}\r\n\r\nx\r\n`);
      await append(
        p,
        `From: a@x\r\nX-Large: ${`${"y".repeat(900)}\r\n `.repeat(5500)}\r\n\r\nx\r\n`,
      );
      await p.command("s SELECT Inbox", /^s OK/m);
      await p.command("f FETCH 1:* (ENVELOPE RFC822.SIZE)", /^f OK/m);
    });
    assert.ok(grew < 300, `${grew.toFixed(0)} MB`);
  }],
  ["CVE-2024-34055: literals before the login, on many connections", async (s) => {
    const open: Peer[] = [];
    try {
      const grew = await rise(s, async () => {
        for (let i = 0; i < 25; i++) {
          const p = await Peer.to(s.imap);
          open.push(p);
          await p.until(/\n/);
          await p.send(`a LOGIN {50000000+}\r\n`);
          await p.send(new Uint8Array(2_000_000), 500);
        }
        await pause(500);
      });
      assert.ok(grew < 150, `${grew.toFixed(0)} MB`);
    } finally {
      for (const p of open) p[Symbol.dispose]();
    }
  }],
];

Deno.test({
  name: "public reports of faults in other servers, tried here",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    const s = await startLocalserve();
    try {
      for (const [name, run] of cases) {
        await t.step(name, async () => {
          await run(s);
          // Everybody else is served, and nothing was an unexpected error.
          using p = await Peer.imap(s);
          await p.command("n NOOP", /^n OK/m);
          const metrics = await (await fetch(`http://127.0.0.1:${s.metrics}/metrics`)).text();
          assert.doesNotMatch(metrics, /^mox_panic_total\{.*\} [1-9]/m);
        });
      }
    } finally {
      await s.close();
    }
  },
});
