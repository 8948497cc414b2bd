/** The page: compressed, kept until it changes, and only its own script runs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { webmailLater, webmailPage } from "../../../src/web/pages/mod.ts";
import { servePage } from "../../../src/web/webmail/page.ts";
import { withWebmail } from "./server.ts";

const script = "console.log('page')";
const html = `<!doctype html><html><head><style>p{color:red}</style></head>` +
  `<body><script>${script}</script></body></html>`;

Deno.test("the page is sent once, compressed, and then only if it has changed", async () => {
  await withWebmail(async (w) => {
    const r = await fetch(w.base);
    assert.equal(r.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(r.headers.get("content-encoding"), "br");
    assert.equal(r.headers.get("vary"), "Accept-Encoding");
    assert.equal(await r.text(), html);
    const etag = r.headers.get("etag")!;
    const again = await fetch(w.base, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), "");
    const plain = await fetch(w.base, { headers: { "accept-encoding": "identity" } });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.notEqual(plain.headers.get("etag"), etag);
    assert.equal(await plain.text(), html);
    const gzip = await fetch(w.base, { headers: { "accept-encoding": "gzip" } });
    assert.equal(gzip.headers.get("content-encoding"), "gzip");
    assert.equal(await gzip.text(), html);
    const other = await fetch(`${w.base}other`);
    assert.equal(other.status, 404);
    await other.body?.cancel();
    const post = await fetch(w.base, { method: "POST" });
    assert.equal(post.status, 405);
    await post.body?.cancel();
  }, { page: servePage(html) });
});

Deno.test("the page's policy lets its own script run and nothing else", async () => {
  await withWebmail(async (w) => {
    const r = await fetch(w.base);
    await r.body?.cancel();
    const policy = r.headers.get("content-security-policy")!;
    const hash = createHash("sha256").update(script).digest("base64");
    assert.match(policy, /default-src 'none'/);
    assert.ok(policy.includes(`script-src 'sha256-${hash}';`));
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe|https?:/);
  }, { page: servePage(html) });
});

Deno.test("a script that the page loads later is allowed by its hash", async () => {
  const later = "moxLater.parts={}";
  await withWebmail(async (w) => {
    const r = await fetch(w.base);
    await r.body?.cancel();
    const [own, other] = [script, later].map((s) =>
      createHash("sha256").update(s).digest("base64")
    );
    assert.ok(
      r.headers.get("content-security-policy")!.includes(
        `script-src 'sha256-${own}' 'sha256-${other}';`,
      ),
    );
  }, { page: servePage(html, { path: "/", framed: false, later }) });
});

Deno.test("the webmail as shipped: its first load is below 80 kB, and what comes later is not in it", () => {
  const first = gzipSync(webmailPage, { level: 9 }).length;
  assert.ok(first < 80_000, `${first} bytes`);
  assert.ok(gzipSync(webmailLater, { level: 9 }).length > 10_000);
  // A name of the calendar, which the build leaves as it is.
  assert.ok(webmailLater.includes("calendar-views"));
  assert.ok(!webmailPage.includes('"calendar-views"'));
  assert.match(webmailLater, /^moxLater\.parts=/);
});
