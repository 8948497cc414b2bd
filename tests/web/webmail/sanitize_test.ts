/** HTML of messages: attacks come out harmless, and what people write stays. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { sanitizeMessageHtml } from "../../../src/web/webmail/html/sanitize.ts";
import { safeStyle, safeStyleSheet } from "../../../src/web/webmail/html/css.ts";
import { htmlAsText } from "../../../src/web/webmail/html/text.ts";
import { sanitizeSoon, stopSanitizeWorker } from "../../../src/web/webmail/html/worker.ts";
import { attacks } from "./attacks.ts";

const inline = (id: string) => id === "pic@x" ? "data:image/png;base64,UE5H" : undefined;
const clean = (html: string, external = false) =>
  sanitizeMessageHtml(html, { external, inline }).html;

const allowedTags = new Set(
  ("a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup " +
    "dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins " +
    "kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup " +
    "table tbody td tfoot th thead time tr tt u ul var wbr style").split(" "),
);

interface Element {
  tag: string;
  attributes: Map<string, string>;
  css: string;
}

/** Reads what the sanitiser writes, which is of one form only; fails for anything else. */
function elements(html: string): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < html.length;) {
    const start = html.indexOf("<", at);
    if (start < 0) break;
    const m = /^<(\/?)([a-z0-9]+)((?: [a-z-]+(?:="[^"<>]*")?)*)( \/)?>/.exec(html.slice(start));
    assert.ok(m, `not a plain tag: ${html.slice(start, start + 80)}`);
    at = start + m[0].length;
    if (m[1] === "/") continue;
    const attributes = new Map<string, string>();
    for (const a of m[3].matchAll(/ ([a-z-]+)(?:="([^"]*)")?/g)) {
      attributes.set(
        a[1],
        (a[2] ?? "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
          .replaceAll("&amp;", "&"),
      );
    }
    let css = attributes.get("style") ?? "";
    if (m[2] === "style") {
      const end = html.indexOf("</style>", at);
      assert.ok(end >= at, "style is closed");
      css = html.slice(at, end);
      assert.ok(!css.includes("<"), css);
      at = end;
    }
    found.push({ tag: m[2], attributes, css });
  }
  return found;
}

/** Fails if the HTML could run or load anything. */
function assertHarmless(html: string): void {
  for (const { tag, attributes, css } of elements(html)) {
    assert.ok(allowedTags.has(tag), `element ${tag}`);
    for (const [name, value] of attributes) {
      assert.ok(!name.startsWith("on"), `${name} of ${tag}`);
      assert.ok(
        !["srcset", "ping", "action", "formaction", "data", "poster", "srcdoc", "http-equiv"]
          .includes(name),
        name,
      );
      if (name === "src" || name === "background") {
        assert.match(value, /^data:image\/[a-z]+;base64,/);
      }
      if (name === "href") assert.match(value, /^(?:https?:|mailto:|tel:|#)/);
    }
    assert.doesNotMatch(css, /url\("(?!data:image\/[a-z]+;base64,)/i);
    assert.doesNotMatch(css, /url\([^"]|@import|@font-face|expression|behavior|-moz-binding/i);
    assert.doesNotMatch(
      css,
      /image-set|image\(|src\(|cross-fade|element\(|paint\(|position:\s*fixed/i,
    );
  }
}

Deno.test("each of the attacks comes out harmless", () => {
  assert.ok(attacks.length >= 100);
  assert.equal(new Set(attacks.map(([name]) => name)).size, attacks.length);
  for (const [name, html] of attacks) {
    for (const text of [html, `<div>${html}`, `<table><tr><td>${html}`, `${html}${html}`]) {
      const out = clean(text);
      try {
        assertHarmless(out);
        assert.ok(!/tracker\.example/.test(out), "has the tracker's address");
      } catch (err) {
        throw new Error(`${name}: ${text}\n-> ${out}`, { cause: err });
      }
    }
  }
});

Deno.test("with pictures from elsewhere allowed nothing but pictures is loaded", () => {
  for (const [name, html] of attacks) {
    const out = clean(html, true).replaceAll(
      /https?:\/\/tracker\.example/g,
      "data:image/png;base64,",
    );
    try {
      assertHarmless(out);
    } catch (err) {
      throw new Error(`${name}: ${html}\n-> ${out}`, { cause: err });
    }
  }
  assert.match(
    clean(`<img src="//t.example/a b.gif">`, true),
    /src="https:\/\/t\.example\/a%20b\.gif"/,
  );
  assert.match(
    clean(`<p style="background: url('http://t.example/x')">`, true),
    /background:url\(&quot;http:\/\/t\.example\/x&quot;\)/,
  );
});

Deno.test("what would be loaded from elsewhere is counted", () => {
  const count = (html: string) => sanitizeMessageHtml(html, { external: false, inline }).external;
  assert.equal(count("<p>hello <a href='https://x.example'>x</a>"), 0);
  assert.equal(count("<img src='cid:pic@x'><img src='data:image/png;base64,AA=='>"), 0);
  assert.equal(count("<img src='https://x.example/1'>"), 1);
  assert.equal(count("<p style='background:url(https://x.example/1)'>"), 1);
  assert.equal(count("<style>p{background:url(https://x.example/1)}</style>"), 1);
  assert.equal(count("<img srcset='a 1x'>"), 1);
});

Deno.test("letters keep their looks: text, tables, colours, own pictures, links with their true address", () => {
  assert.equal(
    clean(
      `<html><head><title>no</title></head><body bgcolor="#eee" style="margin:0">` +
        `<h1>Guten Tag &amp; hallo</h1><table width="100%" cellpadding=0><tr>` +
        `<td style="padding: 4px 8px; color: #333; font-family: 'Helvetica Neue', Arial">x</td></tr></table>` +
        `<img src="cid:pic%40x" alt="a picture" width=10></body></html>`,
    ),
    `<style>:where(.mail-hint-1){background-color:#eee}\n</style><div class="mail-html">` +
      `<div style="margin:0" class="mail-body mail-hint-1"><h1>Guten Tag &amp; hallo</h1>` +
      `<table width="100%" cellpadding="0"><tr>` +
      `<td style="padding:4px 8px;color:#333;font-family:&quot;Helvetica Neue&quot;, Arial">x</td></tr></table>` +
      `<img src="data:image/png;base64,UE5H" alt="a picture" width="10" /></div></div>`,
  );
  assert.equal(
    clean(
      `<a href="https://evil.example/x" target="_self" title="https://bank.example">bank.example</a>`,
    ),
    `<a href="https://evil.example/x" title="https://evil.example/x" target="_blank" ` +
      `rel="noopener noreferrer nofollow">bank.example</a>`,
  );
  assert.equal(
    clean(`<a href="#top">up</a> 1 < 2 & "3"`),
    `<a href="#top">up</a> 1 &lt; 2 &amp; "3"`,
  );
});

Deno.test("style sheets keep rules and conditions that mail uses", () => {
  const none = () => undefined;
  assert.equal(
    safeStyleSheet(
      "/* c */ .a > td, #b:not(.c)::before { color : RED ; background: linear-gradient(to right, #fff 0%, " +
        "rgba(0,0,0,.5) 100%) !important; width: calc(100% - 2 * 4px) }\n" +
        "@media only screen and (max-width: 600px) { .x { display: none !important } @charset 'x'; }\n" +
        "@page { margin: 0 } p { }",
      none,
    ),
    ".a > td, #b:not(.c)::before{color:RED;background:linear-gradient(to right, #fff 0%, rgba(0,0,0,.5) 100%) " +
      "!important;width:calc(100% - 2 * 4px)}\n" +
      "@media only screen and (max-width: 600px){.x{display:none !important}\n}\n",
  );
  assert.equal(safeStyle("color:red;;;}x{a:b", none), "color:red");
  assert.equal(safeStyle("a:b(c);color:red", none), "color:red");
  assert.equal(safeStyle("width:10px;height:calc(1px", none), "width:10px");
  assert.equal(safeStyle('font-family:"a\\"b;c\\0a d"', none), 'font-family:"a\\22 b;c\\a d"');
});

Deno.test("HTML is told as text, with quotations, lists and where links lead", () => {
  const text = (html: string) => htmlAsText(clean(html));
  assert.equal(
    text(
      `<style>p{color:red}</style><h1>Hello</h1><p>one\n two&nbsp; &amp; <b>three</b><br>four</p>` +
        `<ul><li>a<li>b</ul><blockquote>said <blockquote>before</blockquote>then</blockquote>` +
        `<table><tr><td>1<td>2<tr><td>3<td>4</table><pre>x\n  y\n\nz</pre>` +
        `<a href="https://x.example/">x.example</a> <a href="https://y.example/1">here</a><img alt="[pic]">`,
    ),
    [
      "Hello",
      "",
      "one two & three",
      "four",
      "",
      "- a",
      "- b",
      "",
      "> said",
      ">",
      ">> before",
      ">>",
      "> then",
      ">",
      "1 2",
      "3 4",
      "",
      "x",
      "  y",
      "",
      "z",
      "",
      "x.example here <https://y.example/1>[pic]",
    ].join("\n"),
  );
  assert.equal(text(""), "");
});

Deno.test("any text comes out harmless, and the same when it is sanitised again", () => {
  const pieces = fc.constantFrom(
    ...attacks.map(([, html]) => html),
    ..."< > \" ' ` = / <!-- --> ]]> <p <style> </style> <svg> </svg> <math> <table> <td> style= url( ) \\ ; { } @"
      .split(" "),
    "\0",
    "\n",
    "&lt;",
    "&#x3c;",
    "x",
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 12 }),
      (list) => {
        const out = clean(list.join(""));
        assertHarmless(out);
        htmlAsText(out);
        const again = clean(out);
        assertHarmless(again);
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("any CSS comes out as CSS that loads nothing, and is stable", () => {
  const pieces = fc.constantFrom(
    ..."a color : ; { } ( ) [ ] url( 'x' \" ' \\ \\75 rl( @import @media /* */ <!-- --> < </style> #f 1px % , ! - --x"
      .split(" "),
    " ",
    "\n",
    "é",
    "url(https://t.example/x)",
    "u\\72l(",
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 30 }),
      (list) => {
        const css = list.join("");
        for (const make of [safeStyle, safeStyleSheet]) {
          const out = make(css, () => undefined);
          assert.doesNotMatch(out, /</);
          // What is in quotes is text.
          const bare = out.replaceAll(/"[^"]*"/g, '""');
          assert.doesNotMatch(bare, /url\(|@(?!media)/i);
          assert.equal(make(out, () => undefined), out);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("hostile sizes take linear time: deep nesting, unclosed marks, large styles", async () => {
  try {
    for (
      const html of [
        "<div>".repeat(100_000),
        "<b><i>".repeat(30_000) + "x",
        "<".repeat(200_000),
        "<p style='" + "a:b(".repeat(30_000),
        "<style>" + "{".repeat(100_000),
        "<style>" + "@media x{".repeat(20_000),
        "<style>" + "p{a:url(".repeat(20_000),
        "<a href='" + " ".repeat(200_000) + "javascript:x'>",
        "<!--".repeat(50_000),
        "&".repeat(200_000),
        "<noscript>".repeat(5_000),
        "<iframe>".repeat(20_000),
      ]
    ) {
      const { html: out } = await sanitizeSoon("ann", html, { external: false, inline: new Map() });
      assertHarmless(out.slice(0, out.lastIndexOf("<", 20_000)));
    }
  } finally {
    stopSanitizeWorker();
  }
});

Deno.test("the Worker gives what is given at once", async () => {
  const html = `<p style="color:red">x<img src="cid:a"><script>x</script>`.repeat(600);
  assert.ok(html.length > 20_000);
  try {
    const map = new Map([["a", "data:image/png;base64,QQ=="]]);
    const soon = await sanitizeSoon("ann", html, { external: false, inline: map });
    const now = sanitizeMessageHtml(html, { external: false, inline: (id) => map.get(id) });
    assert.deepEqual(soon, now);
  } finally {
    stopSanitizeWorker();
  }
});

Deno.test("HTML nested without end is refused in one pass; deep but closed, or lists left open, is not", () => {
  const o = { external: false, inline: () => undefined };
  for (
    const html of [
      "<b>".repeat(45_000) + "</i>".repeat(45_000),
      "<div></p>".repeat(45_000),
      "<x-y>".repeat(100_000) + "</z>".repeat(100_000),
    ]
  ) {
    assert.match(sanitizeMessageHtml(html, o).html, /nested too deeply/);
  }
  for (
    const html of [
      "<p>one".repeat(20_000),
      "<ul>" + "<li>one".repeat(20_000) + "</ul>",
      "<b>x</b>".repeat(20_000),
      `${"<div>".repeat(300)}deep${"</div>".repeat(300)}`,
      "<i>a<b>c</i>".repeat(3000),
      "a < b > c </ d".repeat(5000),
    ]
  ) {
    assert.doesNotMatch(sanitizeMessageHtml(html, o).html, /nested too deeply/, html.slice(0, 30));
  }
});
