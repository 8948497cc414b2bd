/** The address book of people written to (KeepWrittenTo). */
import assert from "node:assert/strict";
import { type Client, type Json, withJmap } from "./world.ts";

async function write(ann: Client, to: string, rcpt: string[]): Promise<void> {
  const { drafts } = await ann.roles();
  const { id } = await ann.import(
    `From: ann@mox.example\r\nTo: ${to}\r\nSubject: hello\r\nMessage-ID: <${crypto.randomUUID()}@mox.example>\r\n` +
      "Date: Mon, 01 Feb 2027 10:00:00 +0000\r\n\r\nhello\r\n",
    drafts,
  );
  const [identity] = (await ann.call("Identity/get", {})).list;
  const r = await ann.call("EmailSubmission/set", {
    create: {
      s: {
        emailId: id,
        identityId: identity.id,
        envelope: {
          mailFrom: { email: "ann@mox.example" },
          rcptTo: rcpt.map((email) => ({ email })),
        },
      },
    },
  });
  assert.equal(r.notCreated, null, JSON.stringify(r));
}

async function kept(c: Client): Promise<string[]> {
  const { list } = await c.call("ContactCard/get");
  return list.map((x: Json) =>
    `${x.name.full} <${Object.values(x.emails as Json).map((e) => (e as Json).address).join()}>`
  ).sort();
}

Deno.test("people who are written to are kept in a book of their own, each once; those known already aren't", () =>
  withJmap(async ({ ann }) => {
    const [book] = (await ann.call("AddressBook/get")).list;
    await ann.call("ContactCard/set", {
      create: {
        k: {
          "@type": "Card",
          version: "1.0",
          addressBookIds: { [book.id]: true },
          name: { full: "Known" },
          emails: { e: { address: "Known@to.example" } },
        },
      },
    });
    const to = "=?utf-8?q?J=C3=BCrgen?= <jo@to.example>, ann2@mox.example, known@to.example";
    const rcpt = ["jo@to.example", "ann2@mox.example", "known@to.example", "hidden@to.example"];
    await write(ann, to, rcpt);
    await write(ann, to, rcpt);
    assert.deepEqual(await kept(ann), [
      "Jürgen <jo@to.example>",
      "Known <Known@to.example>",
      "hidden@to.example <hidden@to.example>",
    ]);
    const books = (await ann.call("AddressBook/get")).list.map((b: Json) => b.name).sort();
    assert.deepEqual(books, ["Contacts", "People written to"]);
  }, { account: "\t\tKeepWrittenTo: true\n" }));

Deno.test("nobody is kept where it isn't wanted", () =>
  withJmap(async ({ ann }) => {
    await write(ann, "jo@to.example", ["jo@to.example"]);
    assert.deepEqual(await kept(ann), []);
    assert.equal((await ann.call("AddressBook/get")).list.length, 1);
  }));
