/** URLAUTH (RFC 4467), as transcripts. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { parseAuthorizedUrl } from "../../src/imap/server/messages/authorized_url.ts";
import { type Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

async function withClients(fn: (mjl: Client, fred: Client) => Promise<void>): Promise<void> {
  const server = await startServer({ others: ["fred"] });
  try {
    const mjl = await server.client();
    await mjl.append("INBOX", message("secret", "Si vis pacem, para bellum.\r\n"));
    await fn(mjl, await server.client({ as: "fred" }));
  } finally {
    await server.stop();
  }
}

const base = "imap://mjl%40mox.example@mox.example/INBOX/;uid=1/;section=TEXT";

/** The URL that authorises one. */
async function authorized(c: Client, rump: string): Promise<string> {
  const [line] = await c.ok(`GENURLAUTH "${rump}" INTERNAL`);
  const m = /^\* GENURLAUTH "(.*)"$/.exec(line);
  assert.ok(m, line);
  assert.match(m[1].slice(rump.length), /^:internal:01[0-9a-f]{64}$/);
  return m[1];
}

const fetched = (url: string) => `* URLFETCH "${url}" {28}\r\nSi vis pacem, para bellum.\r\n`;

Deno.test("§6 a URL is authorised, and gives its text to those that it names", () =>
  withClients(async (mjl, fred) => {
    assert.match((await mjl.ok("CAPABILITY"))[0], / URLAUTH(?= |$)/);
    for (
      const [access, forFred, forOwner] of [
        ["anonymous", true, true],
        ["authuser", true, true],
        ["user+fred%40mox.example", true, false],
        ["user+fred", true, false],
        ["user+chris", false, false],
        ["submit+fred", false, false],
      ] as const
    ) {
      const url = await authorized(mjl, `${base};urlauth=${access}`);
      const given = async (c: Client) => (await c.ok(`URLFETCH "${url}"`))[0];
      const nil = `* URLFETCH "${url}" NIL`;
      assert.equal(await given(fred), forFred ? fetched(url) : nil, access);
      assert.equal(await given(mjl), forOwner ? fetched(url) : nil, access);
    }
  }));

Deno.test("§2.4 one that has expired, was changed, or whose message is gone gives nothing", () =>
  withClients(async (mjl, fred) => {
    const nothing = async (url: string) =>
      assert.deepEqual(await fred.ok(`URLFETCH "${url}"`), [`* URLFETCH "${url}" NIL`]);
    const good = await authorized(mjl, `${base};expire=2099-12-10T23:59:59Z;urlauth=authuser`);
    assert.deepEqual(await fred.ok(`URLFETCH "${good}"`), [fetched(good)]);
    await nothing(await authorized(mjl, `${base};expire=2006-12-10T23:59:59Z;urlauth=authuser`));
    await nothing(good.replace("2099", "2098"));
    await nothing(good.replace("TEXT", "HEADER"));
    await nothing(good.replace("INBOX", "Archive"));
    await nothing(good.replace(/.$/, (c) => c === "0" ? "1" : "0"));
    await nothing(good.replace("mjl%40", "fred%40"));
    await nothing(good.replace("@mox.example/", "@elsewhere.example/"));
    await nothing("imap://x");
    await nothing(await authorized(mjl, `${base.replace("uid=1", "uid=9")};urlauth=authuser`));
    // Several in one command, and a part of a part.
    const part = await authorized(mjl, `${base}/;partial=7.5;urlauth=authuser`);
    assert.deepEqual(await fred.ok(`URLFETCH "${good}" "${part}"`), [
      fetched(good),
      `* URLFETCH "${part}" {5}\r\npacem`,
    ]);
  }));

Deno.test("§6.2 RESETKEY revokes those of a mailbox, or all", () =>
  withClients(async (mjl, fred) => {
    const first = await authorized(mjl, `${base};urlauth=authuser`);
    await talk(mjl, "C: RESETKEY INBOX\nS: OK [URLMECH INTERNAL] the key is gone");
    assert.deepEqual(await fred.ok(`URLFETCH "${first}"`), [`* URLFETCH "${first}" NIL`]);
    const second = await authorized(mjl, `${base};urlauth=authuser`);
    assert.notEqual(second, first);
    await talk(mjl, "C: RESETKEY INBOX INTERNAL\nS: OK [URLMECH INTERNAL] …");
    assert.deepEqual(await fred.ok(`URLFETCH "${second}"`), [`* URLFETCH "${second}" NIL`]);
    const third = await authorized(mjl, `${base};urlauth=authuser`);
    await talk(mjl, "C: RESETKEY\nS: OK all keys are gone");
    assert.deepEqual(await fred.ok(`URLFETCH "${third}"`), [`* URLFETCH "${third}" NIL`]);
  }));

Deno.test("what can't be authorised is refused", () =>
  withClients((mjl) =>
    talk(
      mjl,
      `
      C: GENURLAUTH "${base}" INTERNAL
      S: NO [BADURL "${base}"] not a URL that can be authorised
      C: GENURLAUTH "${base};urlauth=somebody" INTERNAL
      S: NO [BADURL …] not a URL that can be authorised
      C: GENURLAUTH "${base.replace("mjl", "fred")};urlauth=authuser" INTERNAL
      S: NO [BADURL …] not a URL of your mailboxes here
      C: GENURLAUTH "${base.replace("INBOX", "Nowhere")};urlauth=authuser" INTERNAL
      S: NO [BADURL …] no such mailbox
      C: GENURLAUTH "${base};expire=tomorrow;urlauth=authuser" INTERNAL
      S: NO [BADURL …] …
      C: GENURLAUTH "${base};urlauth=authuser" XSAMPLE
      S: BAD …
      C: GENURLAUTH "${base};urlauth=authuser"
      S: BAD …
      C: RESETKEY Nowhere
      S: NO [NONEXISTENT] …
      `,
    )
  ));

Deno.test("any text is taken apart without failing", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    parseAuthorizedUrl(a);
    parseAuthorizedUrl(`imap://u@h/${a};urlauth=${b}`);
    parseAuthorizedUrl(`imap://${a}@h/INBOX/;uid=1;expire=${b};urlauth=authuser:internal:00`);
  }));
});
