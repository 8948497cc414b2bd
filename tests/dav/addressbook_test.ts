/** CardDAV: queries and parts of cards. */
import assert from "node:assert/strict";
import { textOf } from "../../src/dav/xml/parse.ts";
import { card, condition, type DavClient, ns, responses, suite } from "./world.ts";

const test = suite("CardDAV");
const book = "addressbooks/ann/default/";
const A = "{urn:ietf:params:xml:ns:carddav}";

async function fill(c: DavClient): Promise<void> {
  const put = async (name: string, ...lines: string[]) => {
    const r = await c.put(`${book}${name}.vcf`, card(name, ...lines));
    assert.equal(r.status, 201, r.text);
  };
  await put(
    "bea",
    "FN:Bea Öhr",
    "N:Öhr;Bea;;;",
    "EMAIL;TYPE=HOME:bea@to.example",
    "item1.TEL:+49 30 1",
    "item1.X-ABLABEL:Laube",
  );
  await put("carl", "FN:Carl", "N:;Carl;;;", "EMAIL;TYPE=WORK:carl@work.example", "NICKNAME:Kalle");
  await put("dora", "FN:Dora", "N:;Dora;;;", "NOTE:knows Bea\\, and Carl");
}

async function query(c: DavClient, filter: string, more = ""): Promise<string[]> {
  const found = await c.report(
    book,
    `<A:addressbook-query ${ns}><D:prop><D:getetag/></D:prop>${filter}${more}</A:addressbook-query>`,
  );
  return found.filter((r) => r.status === undefined).map((r) =>
    r.href.slice(r.href.lastIndexOf("/") + 1).replace(".vcf", "")
  );
}

const prop = (name: string, inner: string, attributes = "") =>
  `<A:prop-filter name="${name}"${attributes}>${inner}</A:prop-filter>`;
const match = (text: string, attributes = "") =>
  `<A:text-match${attributes}>${text}</A:text-match>`;
const filter = (inner: string, test = "") =>
  `<A:filter${test && ` test="${test}"`}>${inner}</A:filter>`;

test("addressbook-query: texts by collation and kind of match, one or all of them", async ({ ann }) => {
  await fill(ann);
  assert.deepEqual(await query(ann, filter("")), ["bea", "carl", "dora"]);
  assert.deepEqual(await query(ann, filter(prop("FN", match("öhr")))), ["bea"]);
  assert.deepEqual(await query(ann, filter(prop("FN", match("öhr", ' collation="i;octet"')))), []);
  assert.deepEqual(
    await query(ann, filter(prop("FN", match("öhr", ' collation="i;ascii-casemap"')))),
    [],
  );
  assert.deepEqual(
    await query(ann, filter(prop("FN", match("car", ' match-type="starts-with"')))),
    ["carl"],
  );
  assert.deepEqual(await query(ann, filter(prop("FN", match("car", ' match-type="equals"')))), []);
  assert.deepEqual(
    await query(ann, filter(prop("EMAIL", match("example", ' match-type="ends-with"')))),
    ["bea", "carl"],
  );
  assert.deepEqual(await query(ann, filter(prop("FN", match("a", ' negate-condition="yes"')))), []);
  assert.deepEqual(await query(ann, filter(prop("NICKNAME", "<A:is-not-defined/>"))), [
    "bea",
    "dora",
  ]);
  assert.deepEqual(await query(ann, filter(prop("NICKNAME", ""))), ["carl"]);
  const two = prop("FN", match("bea")) + prop("NOTE", match("bea"));
  assert.deepEqual(await query(ann, filter(two)), ["bea", "dora"]);
  assert.deepEqual(await query(ann, filter(two, "anyof")), ["bea", "dora"]);
  assert.deepEqual(await query(ann, filter(two, "allof")), []);
  const both = match("bea") + match("öhr");
  assert.deepEqual(await query(ann, filter(prop("FN", both, ' test="allof"'))), ["bea"]);
  assert.deepEqual(
    await query(
      ann,
      filter(prop("EMAIL", `<A:param-filter name="TYPE">${match("work")}</A:param-filter>`)),
    ),
    ["carl"],
  );
  assert.deepEqual(await query(ann, filter(prop("item1.TEL", ""))), ["bea"]);
  const limited = await ann.send(
    "REPORT",
    book,
    `<A:addressbook-query ${ns}><D:prop><D:getetag/></D:prop>${
      filter("")
    }<A:limit><A:nresults>2</A:nresults></A:limit></A:addressbook-query>`,
    { Depth: "1" },
  );
  const list = responses(limited);
  assert.deepEqual(list.map((r) => r.status), [undefined, undefined, 507]);
  assert.match(limited.text, /number-of-matches-within-limits/);
  const refused = await ann.send(
    "REPORT",
    book,
    `<A:addressbook-query ${ns}><D:prop/>${
      filter(prop("FN", match("x", ' collation="i;none"')))
    }</A:addressbook-query>`,
    { Depth: "1" },
  );
  assert.equal(condition(refused), `${A}supported-collation`);
});

test("address-data: parts of cards, and forms that there are not", async ({ ann }) => {
  await fill(ann);
  const get = async (request: string) => {
    const found = await ann.report(
      book,
      `<A:addressbook-multiget ${ns}><D:prop>${request}</D:prop><D:href>/dav/${book}bea.vcf</D:href></A:addressbook-multiget>`,
    );
    return textOf(found[0].found.get(`${A}address-data`)!);
  };
  assert.match(await get("<A:address-data/>"), /item1\.X-ABLABEL:Laube\r\n/);
  assert.equal(
    await get(
      '<A:address-data><A:prop name="VERSION"/><A:prop name="FN"/><A:prop name="TEL"/></A:address-data>',
    ),
    "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bea Öhr\r\nitem1.TEL:+49 30 1\r\nEND:VCARD\r\n",
  );
  const refused = await ann.send(
    "REPORT",
    book,
    `<A:addressbook-multiget ${ns}><D:prop><A:address-data content-type="text/x"/></D:prop><D:href>/x</D:href></A:addressbook-multiget>`,
  );
  assert.equal(condition(refused), `${A}supported-address-data`);
});

test("cards of several kinds: vCard 4, groups, large photos", async ({ ann }) => {
  const four =
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nFN:Vier\r\nKIND:group\r\nMEMBER:urn:uuid:2\r\nEND:VCARD\r\n";
  assert.equal((await ann.put(`${book}four.vcf`, four)).status, 201);
  const photo = `PHOTO;ENCODING=b;TYPE=JPEG:${"A".repeat(7_000_000)}`;
  const large = card("large", "FN:Large", "N:;Large;;;", photo);
  assert.equal((await ann.put(`${book}large.vcf`, large)).status, 201);
  assert.equal((await ann.send("GET", `${book}large.vcf`)).text, large);
  const all = await ann.send("GET", book);
  assert.equal(all.text.match(/BEGIN:VCARD/g)!.length, 2);
});
