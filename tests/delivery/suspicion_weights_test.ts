/** How much each thing counts that a careful reader notices, as docs/junk.md has it. */
import assert from "node:assert/strict";
import {
  linkDomains,
  listedLink,
  type SignalKind,
  signalsOf,
  type Suspect,
  suspicionOf,
  suspicious,
} from "../../src/delivery/suspicion/mod.ts";

const suspect = (over: Partial<Suspect> = {}): Suspect => ({
  from: { name: "Ann", address: "ann@shop.example" },
  replyTo: [],
  verified: true,
  list: false,
  texts: [{ html: false, text: "Hello" }],
  attachments: [],
  correspondents: [],
  ...over,
});
const html = (text: string) => [{ html: true, text }];
const link = (to: string, shown: string) => html(`<a href="https://${to}">${shown}</a>`);
const long = "What we wrote about at length, so that it is more than an image with a link. ".repeat(
  3,
);

/** Kind, weight, words of the row in the documentation, and a message that has it. */
const rows: readonly (readonly [SignalKind, number, string, Partial<Suspect>])[] = [
  ["lookalike", 4, "looks like one that you have written to", {
    from: { name: "Ann", address: "a@contos0.com" },
    correspondents: ["contoso.com"],
  }],
  ["mixed-alphabets", 4, "letters of different alphabets", {
    from: { name: "Ann", address: "a@xn--pypal-4ve.com" },
  }],
  ["running-attachment", 4, "an attachment that is a program", { attachments: ["a.lnk"] }],
  ["borrowed-name", 3, "a name that is often borrowed", {
    from: { name: "PayPal", address: "a@other.example" },
  }],
  ["address-as-name", 3, "name shows another address", {
    from: { name: "boss@bank.example", address: "a@other.example" },
  }],
  ["link-text", 2, "a link says one site", { texts: link("evil.test/x", "www.bank.example") }],
  ["links-elsewhere", 2, "no link goes to the sender's domain", {
    texts: link("evil.test/x", `here ${long}`),
  }],
  ["anyones-host", 1.5, "where anyone can put a page", { texts: link("login.web.app", "here") }],
  ["active-attachment", 1.5, "can run programs or ask for passwords", {
    attachments: ["scan.html"],
  }],
  ["answers-elsewhere", 1.5, "answers would go to a free provider", {
    replyTo: [{ address: "ann@gmail.com" }],
  }],
  ["image-only", 1.5, "only an image with a link", {
    texts: html(`<a href="https://www.shop.example/"><img src="x"></a>`),
  }],
  ["html-only", 1, "no plain text beside the HTML", {
    texts: link("www.shop.example/", `here ${long}`),
  }],
  ["unverified", 1, "nothing shows that it comes from the domain", {
    attachments: ["scan.html"],
    verified: false,
  }],
];

Deno.test("each thing that is noticed counts what the documentation says", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/junk.md", import.meta.url));
  for (const [kind, weight, words, message] of rows) {
    const found = signalsOf(suspect(message)).find((s) => s.kind === kind);
    assert.equal(found?.weight, weight, kind);
    const line = docs.split("\n").find((l) => l.startsWith("|") && l.includes(words));
    assert.ok(line, `docs/junk.md has no row with "${words}"`);
    assert.equal(line.split("|")[2].trim(), String(weight), line);
  }
  // All rows of that table are here.
  const table = docs.slice(docs.indexOf("| what is noticed")).split("\n\n")[0];
  assert.equal(table.split("\n").length - 2, rows.length);
});

Deno.test("a link that shows the sender's own site but goes elsewhere counts half: newsletters count clicks so", () => {
  const weight = (shown: string) =>
    signalsOf(suspect({ texts: link("clicks.test/x", shown) })).find((s) => s.kind === "link-text")
      ?.weight;
  assert.equal(weight("www.shop.example"), 1);
  assert.equal(weight("www.bank.example"), 2);
  assert.equal(weight("clicks.test"), undefined);
  assert.equal(weight("click here"), undefined);
});

Deno.test("weights add up, each kind once; a link on a block list is enough by itself", () => {
  const two = signalsOf(suspect({ attachments: ["a.html", "b.docm"] }));
  assert.deepEqual(two.map((s) => s.kind), ["active-attachment"]);
  assert.equal(suspicionOf([]), 0);
  const several = signalsOf(
    suspect({ attachments: ["a.html"], replyTo: [{ address: "x@gmail.com" }], verified: false }),
  );
  assert.equal(suspicionOf(several), 1.5 + 1.5 + 1);
  assert.equal(suspicious, 4);
  const listed = listedLink("evil.test", "dbl.example");
  assert.equal(suspicionOf([listed]), suspicious);
  assert.match(listed.text, /evil\.test.*dbl\.example/);
});

Deno.test("that nothing verifies the sender counts only beside something else", () => {
  assert.deepEqual(signalsOf(suspect({ verified: false })), []);
});

Deno.test("block lists are asked about ten domains at most, each once, not about the sender's own", () => {
  const text = (hosts: string[]) => [{
    html: false,
    text: hosts.map((h) => `https://${h}/x`).join(" "),
  }];
  const domains = (hosts: string[]) => linkDomains(suspect({ texts: text(hosts) }));
  assert.deepEqual(domains(["a.evil.test", "b.evil.test", "www.shop.example", "192.0.2.1"]), [
    "evil.test",
  ]);
  const many = Array.from({ length: 12 }, (_, i) => `d${i}.test`);
  assert.deepEqual(domains(many), many.slice(0, 10));
  // Without a sender there is no domain of its own.
  assert.deepEqual(linkDomains({ from: undefined, texts: text(["shop.example"]) }), [
    "shop.example",
  ]);
});
