/** What the checks of caught messages find. */
import assert from "node:assert/strict";
import { checkAccessibility } from "../../../src/web/catcher/checks/accessibility.ts";
import { checkSignatures } from "../../../src/web/catcher/checks/authentication.ts";
import { checkHeader } from "../../../src/web/catcher/checks/header.ts";
import { checkSize } from "../../../src/web/catcher/checks/size.ts";
import { checkSpam, spamScore } from "../../../src/web/catcher/checks/spam.ts";
import { nestedTooDeep } from "../../../src/web/webmail/html/nesting.ts";
import type { Checked, Finding } from "../../../src/web/catcher/checks/types.ts";

const base: Checked = {
  size: 2000,
  text: "Hello there.\n",
  html: '<html lang="en"><head><title>Hi</title></head><body><h1>Hello</h1>' +
    "<p>A text with some more words in it, so that it says something to people.</p>" +
    '<a href="https://shop.example/order">Your order</a><img src="cid:a" alt="Logo"></body></html>',
  fields: [
    { name: "from", value: "Shop <shop@shop.example>" },
    { name: "to", value: "ann@example.org" },
    { name: "date", value: "Mon, 1 Jun 2026 10:00:00 +0000" },
    { name: "message-id", value: "<1@shop.example>" },
    { name: "mime-version", value: "1.0" },
    { name: "list-unsubscribe", value: "<https://shop.example/u>" },
    { name: "list-unsubscribe-post", value: "List-Unsubscribe=One-Click" },
    {
      name: "dkim-signature",
      value: "v=1; a=rsa-sha256; d=mail.shop.example; s=k1; h=from:to; bh=" + btoa("x".repeat(32)) +
        "; b=abcd",
    },
  ],
  subject: "Your order",
  from: "shop@shop.example",
};
const all = [checkSize, checkHeader, checkAccessibility, checkSpam, checkSignatures];
const run = (m: Checked) => all.flatMap((c) => c(m));
const texts = (list: Finding[], level: Finding["Level"]) =>
  list.filter((f) => f.Level === level).map((f) => f.Text).join("\n");

Deno.test("a message as it should be has no warnings, and each area says that it was looked at", () => {
  const found = run(base);
  assert.equal(texts(found, "warning"), "");
  assert.deepEqual([...new Set(found.filter((f) => f.Level === "ok").map((f) => f.Area))].sort(), [
    "accessibility",
    "authentication",
    "header",
    "size",
    "spam",
  ]);
});

Deno.test("HTML that Gmail clips, and messages that nobody takes", () => {
  assert.match(texts(checkSize({ ...base, html: "é".repeat(52_300) }), "warning"), /Gmail cuts/);
  assert.equal(texts(checkSize({ ...base, html: "é".repeat(52_000) }), "warning"), "");
  assert.match(texts(checkSize({ ...base, size: 26 * 2 ** 20 }), "warning"), /25 MB/);
});

Deno.test("what those who listen don't get", () => {
  const html = '<h1>a</h1><h3>b</h3><img src="x"><table><tr><td>1</td></tr></table>' +
    '<a href="https://x.example/">click here</a><a href="https://y.example/"><img src="b" alt=""></a>' +
    '<p style="font-size: 9px">small</p>';
  const found = checkAccessibility({ ...base, html });
  assert.match(texts(found, "warning"), /1 picture has no alt[^]*no lang[^]*1 link has no text/);
  assert.match(
    texts(found, "note"),
    /1 table has no headers[^]*1 link says[^]*smaller than 12 px[^]*h3 follows an h1[^]*no <title>/,
  );
});

Deno.test("fields that are missing, or there too often", () => {
  const found = checkHeader({
    ...base,
    fields: [
      { name: "subject", value: "a" },
      { name: "subject", value: "b" },
      { name: "list-unsubscribe", value: "<https://x.example/u>" },
    ],
  });
  assert.match(
    texts(found, "warning"),
    /one Date, this one 0[^]*one From, this one 0[^]*no Message-ID[^]*subject is there 2 times[^]*MIME-Version[^]*One-Click/,
  );
});

Deno.test("common signs of junk", () => {
  const found = checkSpam({
    ...base,
    subject: "FREE MONEY NOW!!!",
    text: "",
    html:
      '<img src="https://a.example/x.png"><a href="https://bit.ly/x">x</a><a href="http://192.0.2.7/">y</a>',
  });
  assert.match(
    texts(found, "warning"),
    /capitals[^]*exclamation[^]*no text[^]*all pictures[^]*bit\.ly hide[^]*192\.0\.2\.7/,
  );
});

Deno.test("signs of junk have names and points, which add up; what is fine has none", () => {
  const signs = checkSpam({
    ...base,
    subject: "WINNER WINNER!!!",
    text: "",
    html: '<a href="http://192.0.2.7/"><img src="https://x.example/a.png"></a>',
  });
  assert.deepEqual(signs.map((f) => [f.Rule, f.Points]), [
    ["CAPITALS_SUBJECT", 1.5],
    ["EXCLAIMING_SUBJECT", 1],
    ["HTML_ONLY", 1.1],
    ["PICTURES_ONLY", 2],
    ["NUMBERED_HOSTS", 2.2],
  ]);
  assert.equal(spamScore(signs), 7.8);
  assert.equal(spamScore(run(base)), 0);
});

Deno.test("signatures of others don't count for DMARC", () => {
  const other = {
    name: "dkim-signature",
    value: "v=1; a=rsa-sha256; d=esp.example; s=k; h=from; bh=aa; b=aa",
  };
  const found = checkSignatures({ ...base, fields: [other] });
  assert.match(texts(found, "warning"), /No signature is of shop\.example/);
  assert.match(texts(checkSignatures({ ...base, fields: [] }), "note"), /no DKIM signature/);
  const broken = { name: "dkim-signature", value: "nonsense" };
  assert.match(texts(checkSignatures({ ...base, fields: [broken] }), "warning"), /can't be read/);
});

Deno.test("HTML that is nested too deeply isn't parsed", () => {
  assert.ok(nestedTooDeep("<table>".repeat(28_000)));
  assert.ok(!nestedTooDeep("<p><br>".repeat(28_000)));
  run({ ...base, html: '<p style="font-size:'.repeat(10_000) });
});
