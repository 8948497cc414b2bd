/** Contexts (RFC 5267): results that are kept up to date, as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

/** Two clients with the mailbox selected, which has messages of these subjects. */
async function withMailbox(
  subjects: string[],
  fn: (a: Client, b: Client) => Promise<void>,
): Promise<void> {
  const server = await startServer();
  try {
    const a = await server.client();
    const b = await server.client();
    for (const s of subjects) await a.append("INBOX", message(s));
    await a.ok("SELECT INBOX");
    await b.ok("SELECT INBOX");
    await fn(a, b);
  } finally {
    await server.stop();
  }
}

Deno.test("it is announced", () =>
  withMailbox([], async (a) => {
    const [line] = await a.ok("CAPABILITY");
    assert.match(line, / CONTEXT=SEARCH(?= |$)/);
    assert.match(line, / CONTEXT=SORT(?= |$)/);
  }));

Deno.test("§4.3 a search is kept up to date: what others and the client itself change", () =>
  withMailbox(["m1", "m2", "m3"], async (a, b) => {
    assert.deepEqual(await a.ok("UID SEARCH RETURN (UPDATE COUNT ALL) UNSEEN"), [
      '* ESEARCH (TAG "x6") UID ALL 1:3 COUNT 3',
    ]);
    await b.ok("STORE 2 +FLAGS.SILENT (\\Seen)");
    assert.deepEqual(await a.ok("NOOP"), [
      "* 2 FETCH (UID 2 FLAGS (\\Seen))",
      '* ESEARCH (TAG "x6") UID REMOVEFROM (0 2)',
    ]);
    assert.deepEqual(await a.ok("STORE 1 +FLAGS (\\Seen)"), [
      "* 1 FETCH (FLAGS (\\Seen))",
      '* ESEARCH (TAG "x6") UID REMOVEFROM (0 1)',
    ]);
    await b.append("INBOX", message("m4"));
    assert.deepEqual(await a.ok("NOOP"), [
      "* 4 EXISTS",
      '* ESEARCH (TAG "x6") UID ADDTO (0 4)',
    ]);
    await b.ok("STORE 1:2 -FLAGS.SILENT (\\Seen)");
    assert.deepEqual((await a.ok("NOOP")).at(-1), '* ESEARCH (TAG "x6") UID ADDTO (0 1:2)');
    // A change that makes no difference is no update.
    await b.ok("STORE 1 +FLAGS.SILENT (\\Flagged)");
    assert.deepEqual(await a.ok("NOOP"), ["* 1 FETCH (UID 1 FLAGS (\\Flagged))"]);
  }));

Deno.test("§4.3.2 in IDLE, and by message numbers: those of expunged ones come before the expunge", () =>
  withMailbox(["m1", "m2", "m3", "m4"], async (a, b) => {
    assert.deepEqual(await a.ok("SEARCH RETURN (UPDATE) UNFLAGGED"), ['* ESEARCH (TAG "x7")']);
    a.send("i IDLE\r\n");
    assert.equal(await a.line(), "+ waiting");
    await b.ok("STORE 2 +FLAGS.SILENT (\\Flagged)");
    assert.equal(await a.line(), "* 2 FETCH (UID 2 FLAGS (\\Flagged))");
    assert.equal(await a.line(), '* ESEARCH (TAG "x7") REMOVEFROM (0 2)');
    await b.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
    assert.match(await a.line(), /^\* 1 FETCH/);
    assert.match(await a.line(), /^\* 3 FETCH/);
    await b.ok("EXPUNGE");
    assert.equal(await a.line(), '* ESEARCH (TAG "x7") REMOVEFROM (0 1,3)');
    assert.equal(await a.line(), "* 1 EXPUNGE");
    assert.equal(await a.line(), "* 2 EXPUNGE");
    await b.append("INBOX", message("m5"));
    assert.equal(await a.line(), "* 3 EXISTS");
    assert.equal(await a.line(), '* ESEARCH (TAG "x7") ADDTO (0 3)');
    a.send("DONE\r\n");
    assert.deepEqual(await a.answer("i"), ["OK done"]);
  }));

Deno.test("§4.3.3-4 a sorted result tells the places", () =>
  withMailbox(["d", "b", "f"], async (a, b) => {
    assert.deepEqual(await a.ok("UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED"), [
      '* ESEARCH (TAG "x6") UID ALL 2,1,3',
    ]);
    await b.append("INBOX", message("a"));
    await b.append("INBOX", message("e"));
    assert.deepEqual((await a.ok("NOOP")).at(-1), '* ESEARCH (TAG "x6") UID ADDTO (1 4 4 5)');
    // Now 4 2 1 5 3: the first and the last go, the last first, so that places are right.
    await b.ok("STORE 3:4 +FLAGS.SILENT (\\Deleted)");
    assert.deepEqual(
      (await a.ok("NOOP")).at(-1),
      '* ESEARCH (TAG "x6") UID REMOVEFROM (5 3 1 4)',
    );
    await b.ok("STORE 3 -FLAGS.SILENT (\\Deleted)");
    assert.deepEqual((await a.ok("NOOP")).at(-1), '* ESEARCH (TAG "x6") UID ADDTO (4 3)');
  }));

Deno.test("§4.3.5 updates are cancelled, by the client, and with the mailbox", () =>
  withMailbox(["m1"], async (a, b) => {
    await talk(
      a,
      `
      C: UID SEARCH RETURN (UPDATE) ALL
      S: * ESEARCH (TAG "x4") UID
      S: OK …
      C: UID SEARCH RETURN (UPDATE) SEEN
      S: * ESEARCH (TAG "x5") UID
      S: OK …
      C: CANCELUPDATE "x4"
      S: OK …
      C: CANCELUPDATE "x4"
      S: NO no updates for tag x4
      C: CANCELUPDATE
      S: BAD …
      `,
    );
    await b.ok("STORE 1 +FLAGS.SILENT (\\Seen)");
    assert.deepEqual((await a.ok("NOOP")).slice(1), ['* ESEARCH (TAG "x5") UID ADDTO (0 1)']);
    await a.ok("SELECT INBOX");
    await b.ok("STORE 1 -FLAGS.SILENT (\\Seen)");
    assert.deepEqual(await a.ok("NOOP"), ["* 1 FETCH (UID 1 FLAGS ())"]);
    assert.match(await a.done('CANCELUPDATE "x5"'), /^NO/);
  }));

Deno.test("§4.3.1 more results than are kept up to date are told of once", () =>
  withMailbox(["m1"], async (a) => {
    for (let i = 0; i < 16; i++) await a.ok("SEARCH RETURN (UPDATE) ALL");
    assert.deepEqual(await a.ok("SEARCH RETURN (UPDATE COUNT) ALL"), [
      '* ESEARCH (TAG "x20") COUNT 1',
      '* NO [NOUPDATE "x20"] too many results are kept up to date',
    ]);
  }));

Deno.test("§4.2 and §4.4: CONTEXT is a hint, PARTIAL gives a window of the sorted result", () =>
  withMailbox(["c", "a", "b"], (a) =>
    talk(
      a,
      `
      C: UID SORT RETURN (CONTEXT COUNT PARTIAL 1:2) (REVERSE SUBJECT) UTF-8 ALL
      S: * ESEARCH (TAG "…") UID COUNT 3 PARTIAL (1:2 1,3)
      S: OK …
      C: UID SORT RETURN (PARTIAL 3:5) (REVERSE SUBJECT) UTF-8 ALL
      S: * ESEARCH (TAG "…") UID PARTIAL (3:5 2)
      S: OK …
      C: UID SORT RETURN (PARTIAL 4:5) (REVERSE SUBJECT) UTF-8 ALL
      S: * ESEARCH (TAG "…") UID PARTIAL (4:5 NIL)
      S: OK …
      C: SEARCH RETURN (PARTIAL 1:2 ALL) ALL
      S: BAD …
      C: SEARCH RETURN (NOSUCH) ALL
      S: BAD …
      `,
    )));
