/** Each sign of the checks alone, and values at its edges. */
import assert from "node:assert/strict";
import { checkAccessibility } from "../../../src/web/catcher/checks/accessibility.ts";
import { checkAuth } from "../../../src/web/catcher/checks/authentication.ts";
import { checkHeader } from "../../../src/web/catcher/checks/header.ts";
import { checkSize } from "../../../src/web/catcher/checks/size.ts";
import { checkSpam } from "../../../src/web/catcher/checks/spam.ts";
import type { Checked, Finding } from "../../../src/web/catcher/checks/types.ts";
import { checkHtml } from "../../../src/web/catcher/html_check.ts";
import type { SenderAuth } from "../../../src/senderauth/mod.ts";

const words =
  "Some words that people read, more than eighty letters of them, so that it is a text. ";
const plain: Checked = {
  size: 100,
  text: words,
  html: "",
  fields: [],
  subject: "Your order",
  from: "",
};
const links = (n: number) =>
  Array.from({ length: n }, (_, i) => `https://h${i}.example/`).join(" ");

Deno.test("signs of junk: each has its points, and what is just below is none", () => {
  const rows: [over: Partial<Checked>, rule: string | undefined, points?: number][] = [
    [{}, undefined],
    [{ subject: "" }, "EMPTY_SUBJECT", 1.8],
    [{ subject: "  \t" }, "EMPTY_SUBJECT", 1.8],
    [{ subject: "YOUR ORDER" }, "CAPITALS_SUBJECT", 1.5],
    [{ subject: "ÖFFNUNGEN" }, "CAPITALS_SUBJECT", 1.5],
    [{ subject: "INVOICES" }, undefined],
    [{ subject: "A B C D E F 2026" }, undefined],
    [{ subject: "1234567890" }, undefined],
    [{ subject: "Really!!!" }, "EXCLAIMING_SUBJECT", 1],
    [{ subject: "Really?!?" }, "EXCLAIMING_SUBJECT", 1],
    [{ subject: "One! Two! Three!" }, "EXCLAIMING_SUBJECT", 1],
    [{ subject: "One! Two!" }, undefined],
    [{ subject: "Really?!" }, undefined],
    [{ html: `<p>${words}</p>`, text: " \n" }, "HTML_ONLY", 1.1],
    [{ html: `<p>${words}</p>` }, undefined],
    [{ html: `<img src="a"><p>${"x".repeat(79)}</p>` }, "PICTURES_ONLY", 2],
    [{ html: `<img src="a"><p>${"x".repeat(80)}</p>` }, undefined],
    [{ html: `<img src="a"><style>${"x".repeat(100)}</style>` }, "PICTURES_ONLY", 2],
    [{ html: `<title>${"x".repeat(100)}</title><img src="a">` }, "PICTURES_ONLY", 2],
    [{ html: `<style>p {}</style><img src="a"><p>${"x".repeat(80)}</p>` }, undefined],
    [{ html: "<p>short</p>" }, undefined],
    [{ text: "see https://bit.ly/x" }, "SHORT_LINKS", 1.5],
    [{ text: "see https://go.bit.ly/x" }, "SHORT_LINKS", 1.5],
    [{ text: "see https://rabbit.ly/x" }, undefined],
    [{ text: "see http://192.0.2.7/x" }, "NUMBERED_HOSTS", 2.2],
    [{ text: `${links(15)} http://[2001:db8::1]/x` }, "NUMBERED_HOSTS", 2.2],
    [{ text: "see http://192.0.2.7.example/x" }, undefined],
    [{ text: links(15) }, undefined],
    [{ text: links(16) }, "MANY_HOSTS", 0.5],
    [{ text: `${links(1)}a ${links(1)}b `.repeat(20) }, undefined],
    [{ html: '<p style="display: none">x</p>' }, "HIDDEN_TEXT", 0.5],
    [{ html: '<p style="font-size:0">x</p>' }, "HIDDEN_TEXT", 0.5],
    [{ html: '<p style="visibility:hidden">x</p>' }, "HIDDEN_TEXT", 0.5],
    [{ html: '<p style="display:block">x</p>' }, undefined],
  ];
  for (const [over, rule, points] of rows) {
    const found = checkSpam({ ...plain, ...over });
    const signs = found.filter((f) => f.Rule !== undefined);
    const row = JSON.stringify(over).slice(0, 90);
    if (rule === undefined) {
      assert.deepEqual(found.map((f) => [f.Level, f.Rule, f.Points]), [[
        "ok",
        undefined,
        undefined,
      ]], row);
    } else if (rule === "NUMBERED_HOSTS" && signs.length === 2) {
      assert.deepEqual(signs.map((f) => f.Rule), ["NUMBERED_HOSTS", "MANY_HOSTS"], row);
    } else {
      assert.deepEqual(signs.map((f) => [f.Rule, f.Points]), [[rule, points]], row);
      assert.equal(signs[0].Level, points! < 1 ? "note" : "warning", row);
    }
  }
});

const good = '<html lang="en"><title>t</title>';

Deno.test("accessibility: each hindrance alone, and what is none", () => {
  const rows: [html: string, found: RegExp | undefined, level?: Finding["Level"]][] = [
    ["", undefined],
    [`${good}<img src=a>`, /^1 picture has no alt/, "warning"],
    [`${good}<img src=a><img src=b>`, /^2 pictures have no alt/, "warning"],
    [`${good}<img src=a alt="">`, undefined],
    ["<html><title>t</title><p>x", /no lang/, "warning"],
    ['<html lang=""><title>t</title>', /no lang/, "warning"],
    ['<p lang="en"><title>t</title>', /no lang/, "warning"],
    ['<html lang="en">', /no <title>/, "note"],
    ['<html lang="en"><title> </title>x', /no <title>/, "note"],
    ['<html lang="en"><title></title>x', /no <title>/, "note"],
    [`${good}<a href="/"> </a>`, /^1 link has no text/, "warning"],
    [`${good}<a href="/"></a><a href="/"></a>`, /^2 links have no text/, "warning"],
    [`${good}<a name="x"></a>`, undefined],
    [`${good}<a href="/"><img alt="Home" src=a></a>`, undefined],
    [`${good}<a href="/" aria-label="Home"></a>`, undefined],
    [`${good}<a href="/">Click here</a>`, /^1 link says only/, "note"],
    [`${good}<a href="/">more</a><a href="/"> hier </a>`, /^2 links say only/, "note"],
    [`${good}<a href="/">more about it</a>`, undefined],
    [`${good}<table><tr><td>x</table>`, /^1 table has no headers/, "note"],
    [`${good}<table></table><table></table>`, /^2 tables have no headers/, "note"],
    [`${good}<table><tr><th>x</table>`, undefined],
    [`${good}<table role="presentation"><td>x</table>`, undefined],
    [`${good}<table role="none"><td>x</table>`, undefined],
    [`${good}<table role="grid"><td>x</table>`, /^1 table has/, "note"],
    [`${good}<table role="none"><td><table><th>x</table></table>`, undefined],
    [`${good}<table><td><table><th>x</table></table>`, /^1 table has/, "note"],
    [`${good}<p style="font-size:11.9px">x`, /^1 text is smaller/, "note"],
    [`${good}<p style="font-size:12px">x`, undefined],
    [`${good}<p style="font-size:0px">x`, undefined],
    [
      `${good}<p style="font-size:9px">x<p style="font-size: 8px">y`,
      /^2 texts are smaller/,
      "note",
    ],
    [`${good}<h1>a</h1><h2>b</h2><h1>c</h1><h2>d</h2>`, undefined],
    [`${good}<h1>a</h1><h2>b</h2><h4>c</h4>`, /h4 follows an h2/, "note"],
    [`${good}<h3>a</h3>`, undefined],
  ];
  for (const [html, what, level] of rows) {
    const found = checkAccessibility({ ...plain, html });
    if (html === "") assert.deepEqual(found, []);
    else if (what === undefined) assert.deepEqual(found.map((f) => f.Level), ["ok"], html);
    else {
      assert.equal(found.length, 1, `${html}: ${found.map((f) => f.Text)}`);
      assert.match(found[0].Text, what, html);
      assert.equal(found[0].Level, level, html);
    }
  }
});

const required = ["date", "from", "message-id", "to"];

Deno.test("header: what is missing, what is there twice, and how one unsubscribes", () => {
  const found = (names: string[], over: Partial<Checked> = {}, more: Checked["fields"] = []) =>
    checkHeader({
      ...plain,
      fields: [...names.map((name) => ({ name, value: "x" })), ...more],
      ...over,
    });
  const levels = (f: Finding[]) => f.map((x) => x.Level).join(" ");
  assert.equal(levels(found(required)), "note ok");
  for (const name of required) {
    const without = found(required.filter((n) => n !== name));
    assert.equal(levels(without), name === "to" ? "note note ok" : "warning note", name);
  }
  for (const name of ["cc", "bcc"]) {
    assert.equal(levels(found([...required.slice(0, 3), name])), "note ok", name);
  }
  for (const name of ["date", "from", "to", "cc", "bcc", "subject", "reply-to", "message-id"]) {
    const twice = found([...required.filter((n) => n !== name), name, name]);
    assert.deepEqual(twice.map((f) => f.Level), ["warning", "note"], name);
    assert.match(twice[0].Text, /2/);
  }
  assert.equal(levels(found([...required, "received", "received"])), "note ok");
  assert.equal(levels(found(required, { html: "<p>" })), "warning note");
  assert.equal(levels(found([...required, "mime-version"], { html: "<p>" })), "note ok");
  const list = (value: string, post?: string) =>
    found(required, {}, [
      { name: "list-unsubscribe", value },
      ...post === undefined ? [] : [{ name: "list-unsubscribe-post", value: post }],
    ]);
  assert.equal(levels(list("<mailto:u@x.example>")), "note ok");
  assert.match(list("<mailto:u@x.example>")[0].Text, /no https:/);
  assert.equal(levels(list("<https://x.example/u>")), "warning");
  assert.equal(levels(list("<https://x.example/u>", "yes")), "warning");
  assert.equal(levels(list("<https://x.example/u>", " list-unsubscribe=one-click ")), "ok ok");
});

Deno.test("size: what Gmail shows whole, nearly and not, and what providers take", () => {
  const found = (html: number, size = 1000) =>
    checkSize({ ...plain, size, html: "x".repeat(html) }).map((f) => f.Level).join(" ");
  const clip = 102 * 1024;
  assert.equal(found(0), "ok");
  assert.equal(found(1), "ok ok");
  assert.equal(found(Math.floor(clip * 0.8)), "ok ok");
  assert.equal(found(Math.floor(clip * 0.8) + 1), "note ok");
  assert.equal(found(clip), "note ok");
  assert.equal(found(clip + 1), "warning ok");
  assert.equal(found(0, 25 * 2 ** 20), "ok");
  assert.equal(found(0, 25 * 2 ** 20 + 1), "warning");
  const [html, whole] = checkSize({ ...plain, html: "x".repeat(1536), size: 20_480 });
  assert.match(html.Text, /1\.5 kB/);
  assert.match(whole.Text, /20 kB/);
});

Deno.test("authentication as from an address: passed, none, and anything else", () => {
  const auth = {
    spf: { result: "softfail" },
    dkim: [{ status: "pass", domain: "a.example" }, { status: "permerror" }],
    dmarc: { result: "none" },
  } as unknown as SenderAuth;
  assert.deepEqual(checkAuth(auth, "192.0.2.1").map((f) => [f.Level, f.Text]), [
    ["warning", "SPF: softfail for 192.0.2.1."],
    ["ok", "DKIM: pass of a.example."],
    ["warning", "DKIM: permerror."],
    ["note", "DMARC: none."],
  ]);
});

Deno.test("HTML: features of elements, attributes, styles and sheets, how often, and the sums", async () => {
  const slugs = async (html: string) =>
    new Map((await checkHtml(html)).Warnings.map((w) => [w.Slug, w.Score.Found]));
  const rows: [html: string, slug: string, times: number | undefined][] = [
    ["<svg></svg><svg></svg>", "html-svg", 2],
    ["<p>svg</p>", "html-svg", undefined],
    ['<p style="display: flex">', "css-display-flex", 1],
    ['<p title="display: flex">', "css-display-flex", undefined],
    ["<style>p { display:flex }</style>", "css-display-flex", 1],
    ["<p>p { display:flex }</p>", "css-display-flex", undefined],
    ["<style></style><p>p { display:flex }</p>", "css-display-flex", undefined],
    ["<style>a:hover {}</style>", "css-pseudo-class-hover", 1],
    ["<style>p { width: 3vw }</style>", "css-unit-vw", 1],
    ["<style>p { width: 3vwx }</style>", "css-unit-vw", undefined],
    ['<img src="x.webp?1">', "image-webp", 1],
    ['<img src="x.webpx">', "image-webp", undefined],
    ['<img src="data:image/png;base64,x">', "image-base64", 1],
    ['<input type="date">', "html-input-date", undefined],
  ];
  for (const [html, slug, times] of rows) assert.equal((await slugs(html)).get(slug), times, html);
  const nothing = await checkHtml("just text");
  assert.deepEqual(nothing.Total, {
    Tests: 0,
    Nodes: 0,
    Supported: 100,
    Partial: 0,
    Unsupported: 0,
  });
  assert.deepEqual([nothing.Warnings, nothing.Platforms], [[], {}]);
  const { Total, Warnings, Platforms } = await checkHtml("<svg></svg><p></p>");
  assert.equal(Total.Nodes, 2);
  assert.ok(Math.abs(Total.Supported + Total.Partial + Total.Unsupported - 100) < 0.1);
  const [svg] = Warnings;
  assert.ok(Math.abs(svg.Score.Supported + svg.Score.Partial + svg.Score.Unsupported - 100) < 0.1);
  assert.ok(svg.Results.every((r) => r.Support !== "yes"));
  assert.ok(Platforms.windows.includes("Outlook"));
  for (const families of Object.values(Platforms)) {
    assert.deepEqual(families, [...new Set(families)].sort());
  }
  const many = await checkHtml('<svg></svg><p style="display:flex;gap:1px"><video></video>');
  const unsupported = many.Warnings.map((w) => w.Score.Unsupported);
  assert.deepEqual(unsupported, unsupported.toSorted((a, b) => b - a), "the worst first");
});
