/** Parts of the delivery by themselves: greylisting, lookalike domains, links, texts for the filter, kept filters. */
import assert from "node:assert/strict";
import { Greylist } from "../../src/delivery/greylist.ts";
import { JunkFilters } from "../../src/delivery/junk_filters.ts";
import { messageText } from "../../src/delivery/message_text.ts";
import { hostOf, htmlLinks, textLinks } from "../../src/delivery/suspicion/anchors.ts";
import { lookalikeOf, mixesAlphabets } from "../../src/delivery/suspicion/lookalike.ts";
import { junkParams } from "../../src/junk/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";

async function inDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("greylisting: when a message may come, at the edges of its times", () =>
  inDir(async (dir) => {
    const times = { Delay: 100, Window: 1000, Keep: 5000 };
    const start = 1e12;
    const g = await Greylist.open(dir);
    const t = { network: "192.0.2.0/24", mailFrom: "A@x.example", rcptTo: "B@y.example" };
    const wait = (at: number, more = {}) => g.wait({ ...t, ...more }, times, start + at);
    assert.equal(await wait(0), 100);
    assert.equal(await wait(1), 99);
    assert.equal(await wait(99, { mailFrom: "a@X.example", rcptTo: "b@Y.EXAMPLE" }), 1);
    assert.equal(await wait(100), 0);
    // Known from then on, as long as it comes again in time.
    assert.equal(await wait(100 + 5000), 0);
    assert.equal(await wait(100 + 10_000), 0);
    assert.equal(await wait(100 + 15_001), 100);
    // Each part of who writes to whom tells it from others.
    for (
      const other of [{ network: "x" }, { mailFrom: "c@x.example" }, { rcptTo: "c@y.example" }]
    ) {
      assert.equal(await wait(0, other), 100);
    }
    // It has to come again within the window.
    const late = { rcptTo: "late@y.example" };
    assert.equal(await wait(0, late), 100);
    assert.equal(await wait(1000, late), 0);
    const later = { rcptTo: "later@y.example" };
    assert.equal(await wait(0, later), 100);
    assert.equal(await wait(1001, later), 100);
    // A clock that was set back begins anew.
    assert.equal(await wait(-1, later), 100);
    await g.close();
  }));

Deno.test("greylisting forgets what has expired, of either kind, every ten minutes", () =>
  inDir(async (dir) => {
    const minute = 60_000;
    const times = { Delay: 1, Window: 15 * minute, Keep: 30 * minute };
    const start = 1e12;
    const g = await Greylist.open(dir);
    const wait = (at: number, rcptTo: string) =>
      g.wait({ network: "n", mailFrom: "a", rcptTo }, times, start + at * minute);
    await wait(0, "waits");
    await wait(0, "passes");
    await wait(1, "passes");
    assert.deepEqual(g.counts(), { waiting: 1, passed: 1 });
    await wait(9, "other");
    assert.deepEqual(g.counts(), { waiting: 2, passed: 1 });
    await wait(16, "more"); // "waits" has expired
    assert.deepEqual(g.counts(), { waiting: 2, passed: 1 });
    await wait(25.9, "third"); // not looked at yet
    assert.deepEqual(g.counts(), { waiting: 3, passed: 1 });
    await wait(32, "fourth"); // "passes", "other" and "more" have
    assert.deepEqual(g.counts(), { waiting: 2, passed: 0 });
    await g.close();
  }));

Deno.test("domains that look like one of one's own", () => {
  const own = ["example.com", "paypal.com", "bank.de"];
  const rows: [string, string | undefined][] = [
    ["examp1e.com", "example.com"],
    ["exarnple.com", "example.com"],
    ["exampl.com", "example.com"], // left out
    ["eexample.com", "example.com"], // added
    ["exanple.com", "example.com"], // changed
    ["exmaple.com", "example.com"], // exchanged
    ["ex-ample.net", "example.com"],
    ["paypa1.com", "paypal.com"],
    ["exaelmp.com", undefined],
    ["exam.com", undefined],
    ["exampleee.com", undefined],
    ["example.com", undefined],
    ["example.net", undefined],
    ["bnak.de", undefined], // too short to say anything
    ["other.com", undefined],
    ["", undefined],
  ];
  for (const [domain, wanted] of rows) assert.equal(lookalikeOf(domain, own), wanted, domain);
  // One of one's own is none, whatever it looks like.
  assert.equal(lookalikeOf("exampel.com", [...own, "exampel.com"]), undefined);
  assert.equal(mixesAlphabets("p\u0430ypal.com"), true);
  assert.equal(mixesAlphabets("\u0430.com"), false);
  assert.equal(mixesAlphabets("αb.example"), true);
});

Deno.test("links, images and the length of what can be read", () => {
  const html =
    '<style>a b c</style><p>see <a href=" https://x.example/a ">the <b>site</b></a> now</p>' +
    "<script>var x</script><img src=a><img><a name=x>none</a>";
  assert.deepEqual(htmlLinks(html), {
    anchors: [{ target: "https://x.example/a", text: "the site" }],
    images: 2,
    textLength: "seethesitenownone".length,
  });
  assert.deepEqual(
    textLinks("at https://x.example/a, and HTTP://y.example").map((a) => hostOf(a.target)),
    [
      "x.example",
      "y.example",
    ],
  );
  assert.equal(hostOf("mailto:a@x.example"), undefined);
});

Deno.test("what the filter sees of a message: texts of messages within, in order, and names of files", () => {
  const nested = (depth: number, inner: string): string =>
    depth === 0 ? inner : [
      `Content-Type: multipart/mixed; boundary=b${depth}`,
      "",
      `--b${depth}`,
      "Content-Type: text/plain",
      "",
      `level${depth}`,
      `--b${depth}`,
      `Content-Type: message/rfc822; name=m${depth}.eml`,
      "",
      nested(depth - 1, inner),
      `--b${depth}--`,
      "",
    ].join("\r\n");
  const see = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const { root } = parseMessage(bytes);
    const m = messageText(
      root,
      (a, b) => bytes.subarray(a, b),
      new TextEncoder().encode("X-First: 1\r\n"),
    );
    return {
      names: [...m.headers].map(([n]) => n.toLowerCase()),
      texts: [...m.texts].map((t) => `${t.html ? "html " : ""}${t.text.trim()}`),
      files: [...m.attachments ?? []],
    };
  };
  const inner = "Subject: =?utf-8?q?in?=\r\nContent-Type: text/html\r\n\r\n<p>deep</p>\r\n";
  const two = see("Subject: out\r\n" + nested(2, inner));
  assert.deepEqual(two.names.slice(0, 2), ["x-first", "subject"]);
  assert.deepEqual(two.texts, ["level2", "level1", "html <p>deep</p>"]);
  const attached = see(
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n" +
      "Content-Disposition: attachment; filename=a.txt\r\n\r\nnot read\r\n--b--\r\n",
  );
  assert.deepEqual([attached.texts, attached.files], [[], ["a.txt"]]);
  // A message in base64 is read as well.
  const coded = btoa("Subject: x\r\n\r\ncoded text\r\n");
  assert.deepEqual(
    see(`Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${coded}\r\n`)
      .texts,
    ["coded text"],
  );
});

Deno.test("filters are opened once while they are used, and anew with other parameters", () =>
  inDir(async (dir) => {
    const filters = new JunkFilters();
    const params = junkParams();
    try {
      const [a, b] = await Promise.all([
        filters.use(dir, params, (f) => f),
        filters.use(dir, params, (f) => f),
      ]);
      assert.equal(a, b);
      assert.equal(await filters.use(dir, params, (f) => f), a);
      const other = await filters.use(dir, junkParams({ TopWords: 3 }), (f) => f);
      assert.notEqual(other, a);
      assert.equal(other.params.TopWords, 3);
      // The one before was closed, with what it had learned.
      assert.throws(() => a.classify(["x"]));
      // One that is in use stays, whatever is asked for.
      await filters.use(dir, junkParams({ TopWords: 3 }), async (f) => {
        assert.equal(await filters.use(dir, params, (g) => g), f);
      });
      await assert.rejects(filters.use(dir, params, () => Promise.reject(new Error("own"))), /own/);
    } finally {
      await filters.closeAll();
    }
  }));
