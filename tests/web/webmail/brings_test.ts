/** What mail brings: invitations that are answered, lists that are left, links that name another site. */
import assert from "node:assert/strict";
import { simpleParser } from "mailparser";
import { withLinkWarnings } from "../../../src/web/webmail/html/link_warnings.ts";
import { saysMore } from "../../../src/web/webmail/html/says_more.ts";
import { message, refused, withWebmail } from "./server.ts";

const calendar = (more = "") =>
  [
    "BEGIN:VCALENDAR",
    "METHOD:REQUEST",
    "VERSION:2.0",
    "BEGIN:VEVENT",
    "UID:event-1",
    "DTSTART:20300301T100000Z",
    "DTEND:20300301T110000Z",
    "SUMMARY:Boat race",
    "ORGANIZER;CN=Ann:mailto:ann@example.org",
    `ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:${more || "mox@localhost"}`,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\n");

Deno.test("an invitation is a card; its answer goes to the organiser as a calendar, and is remembered", async () => {
  await withWebmail(async (w) => {
    const more = "MIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST; charset=utf-8";
    const id = await w.deliver(message({ subject: "Boat race", more, body: calendar() }));
    const other = await w.deliver(message({ more, body: calendar("someone@else.example") }));
    const b = await w.login();
    const { invitation } = await b.call("MessageGet", { id });
    assert.equal(invitation!.summary, "Boat race");
    assert.deepEqual(invitation!.me, { address: "mox@localhost", status: "needs-action" });
    await b.call("InvitationAnswer", { id, answer: "accepted" });
    assert.deepEqual(w.sent[0].recipients, ["ann@example.org"]);
    const parsed = await simpleParser(w.sent[0].text);
    assert.equal(parsed.subject, "Accepted: Boat race");
    assert.match(
      w.sent[0].text,
      /Content-Type: text\/calendar; ?(?:\r\n )?charset=utf-8;? ?(?:\r\n )?(?:; ?)?method=REPLY/i,
    );
    const [part] = parsed.attachments;
    assert.match(part.content.toString(), /ATTENDEE;PARTSTAT=ACCEPTED.*:mailto:mox@localhost/);
    assert.equal((await b.call("MessageGet", { id })).invitation!.me!.status, "accepted");
    // It is in the calendar, with the answer.
    const account = await w.services.accounts.open("mox");
    const groupware = await account.groupware();
    const [event] = groupware.eventsByUid("event-1");
    account.close();
    assert.match(
      new TextDecoder().decode(groupware.content(event.id)),
      /ATTENDEE;PARTSTAT=ACCEPTED:mailto:mox@localhost/,
    );
    assert.equal((await b.call("MessageGet", { id: other })).invitation!.me, null);
    await refused(b.call("InvitationAnswer", { id: other, answer: "accepted" }), "user");
  });
});

Deno.test("a list is left by one click from the server, if the sender's signature holds", async () => {
  const asked: string[] = [];
  let status = 200;
  await withWebmail(async (w) => {
    const more = "List-Unsubscribe: <https://list.example/u/1>, <mailto:u@list.example>\n" +
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click";
    const prefix = "Authentication-Results: localhost; dkim=pass header.d=list.example\r\n";
    const signed = await w.deliver(message({ more }), { prefix });
    const unsigned = await w.deliver(message({ more }));
    const plain = await w.deliver(message({ more: more.split("\n")[0] }), { prefix });
    const b = await w.login();
    await b.call("Unsubscribe", { id: signed });
    assert.deepEqual(asked, ["https://list.example/u/1"]);
    assert.match(await refused(b.call("Unsubscribe", { id: unsigned }), "user"), /signature/);
    await refused(b.call("Unsubscribe", { id: plain }), "user");
    assert.equal(asked.length, 1);
    status = 404;
    assert.match(await refused(b.call("Unsubscribe", { id: signed }), "user"), /status 404/);
  }, {
    postOneClick: (url) => {
      asked.push(url);
      return Promise.resolve(status);
    },
  });
});

Deno.test("encrypted and signed messages are told apart by their structure", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const of = async (type: string, body = "--b\n\nx\n--b--") => {
      const id = await w.deliver(
        message({ more: `MIME-Version: 1.0\nContent-Type: ${type}`, body }),
      );
      return (await b.call("MessageGet", { id })).protection;
    };
    const multipart = (sub: string, protocol: string) =>
      of(`multipart/${sub}; protocol="${protocol}"; boundary=b`);
    assert.equal(await multipart("encrypted", "application/pgp-encrypted"), "pgpEncrypted");
    assert.equal(await multipart("signed", "application/pgp-signature"), "pgpSigned");
    assert.equal(await multipart("signed", "application/pkcs7-signature"), "smimeSigned");
    assert.equal(
      await of("application/pkcs7-mime; smime-type=enveloped-data", "eA=="),
      "smimeEncrypted",
    );
    assert.equal(await of("text/plain"), null);
  });
});

Deno.test("a link that names another site is marked, others aren't", () => {
  const a = (href: string, text: string) =>
    withLinkWarnings(`<p><a href="${href}">${text}</a></p>`);
  for (
    const text of [
      "https://bank.example/login",
      "www.bank.example",
      "<b>bank</b>.example",
      " bank.example ",
    ]
  ) {
    assert.match(a("https://evil.test/x", text), /leads to evil\.test<\/span><\/p>$/, text);
  }
  assert.match(
    a("https://bank.example.evil.test/", "bank.example"),
    /leads to bank\.example\.evil\.test/,
  );
  for (
    const [href, text] of [
      ["https://www.bank.example/a", "bank.example"],
      ["https://evil.test/x", "Click here"],
      ["mailto:x@evil.test", "bank.example"],
      ["https://evil.test/x", "see bank.example for more"],
    ]
  ) assert.doesNotMatch(a(href, text), /mail-warning/, text);
  const many = withLinkWarnings('<a href="https://x.test">'.repeat(50_000));
  assert.equal(many.length, 25 * 50_000);
});

Deno.test("HTML says more than its text where the text only points to it", () => {
  assert.equal(saysMore("<p>Hello there, all of you</p>", "Hello there, all of you"), false);
  assert.equal(saysMore("<p>x</p>", "Im Browser ansehen: https://x"), true);
  assert.equal(saysMore("<p>x</p>", "View this message in your browser: https://x"), true);
  assert.equal(saysMore('<p>x</p><img src="data:image/png;base64,AA" width="200">', "x"), true);
  assert.equal(saysMore('<p>x</p><img src="https://t/x" width="1" height="1">', "x"), false);
  assert.equal(saysMore("<table><tr><td>a</td><td>b</td></tr></table>", "a b"), true);
  assert.equal(saysMore(`<p>${"many more words ".repeat(20)}</p>`, "few words"), true);
});
