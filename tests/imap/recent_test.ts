/** \Recent for clients of IMAP4rev1 that enabled nothing (RFC 3501 §2.3.2), beside Dovecot where it is there. */
import assert from "node:assert/strict";
import { noDovecot, startDovecot } from "../support/dovecot.ts";
import { Client, login, message, password, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

/** What the answers say of recent messages, and who has which flags. */
function told(lines: string[]): string[] {
  return lines.flatMap((l) => {
    const flags = /^\* (\d+ FETCH) .*FLAGS \(([^)]*)\)/.exec(l);
    if (flags) return [`${flags[1]} ${flags[2].split(" ").sort().join(" ")}`];
    return /^\* (\d+ (EXISTS|RECENT|EXPUNGE)|STATUS|SEARCH|SORT|ESEARCH)/.test(l)
      ? [l.replace(/ \(TAG "[^"]*"\)/, "").replace(/"?INBOX"?/, "INBOX")]
      : [];
  }).concat(lines.at(-1)!.split(" ")[0]);
}

/** Two sessions, by turns: whose, the command. What they are told is the same in each server. */
const commands: readonly (readonly [0 | 1, string])[] = [
  [0, "STATUS INBOX (MESSAGES RECENT)"],
  [0, "EXAMINE INBOX"],
  [0, "FETCH 1:* FLAGS"],
  [0, "SEARCH RECENT"],
  [0, "CLOSE"],
  // Who may only read leaves them to the next one.
  [1, "STATUS INBOX (RECENT)"],
  [1, "SELECT INBOX"],
  [1, "FETCH 1:* (UID FLAGS)"],
  [1, "FETCH 2 (FLAGS RFC822.SIZE)"],
  [1, "SEARCH RECENT"],
  [1, "SEARCH NEW"],
  [1, "SEARCH OLD"],
  [1, "SEARCH NOT OLD"],
  [1, "UID SEARCH NOT RECENT"],
  [1, "SEARCH RETURN (COUNT) RECENT"],
  [1, "SORT (SUBJECT) UTF-8 RECENT"],
  [1, "STATUS INBOX (RECENT)"],
  [1, "STORE 1 +FLAGS (\\Flagged)"],
  [1, "STORE 1 FLAGS (\\Seen)"],
  [1, "STORE 1 +FLAGS (\\Recent)"],
  [1, "STORE 1 -FLAGS.SILENT (\\Recent)"],
  [1, "FETCH 1 FLAGS"],
  [1, "SEARCH NEW"],
  // The other session comes too late for these.
  [0, "SELECT INBOX"],
  [0, "FETCH 1:* FLAGS"],
  [0, "SEARCH RECENT"],
  [0, "SEARCH OLD"],
  // What comes now is of the session that hears of it first.
  [1, "APPEND INBOX {MESSAGE}"],
  [1, "NOOP"],
  [1, "FETCH 4 FLAGS"],
  [0, "NOOP"],
  [0, "FETCH 4 FLAGS"],
  [0, "SEARCH RECENT"],
  // A copy is new in its mailbox.
  [1, "CREATE Other"],
  [1, "COPY 1:2 Other"],
  [1, "STATUS Other (MESSAGES RECENT)"],
  [1, "STORE 2 +FLAGS (\\Deleted)"],
  [1, "EXPUNGE"],
  [1, "SEARCH RECENT"],
  [1, "STATUS Other (RECENT)"],
  [1, "SELECT Other"],
  [1, "FETCH 1:* FLAGS"],
  [1, "SELECT INBOX"],
  [1, "SEARCH RECENT"],
  [1, "STATUS Other (RECENT)"],
  [0, "NOOP"],
  [1, "APPEND INBOX (\\Seen) {MESSAGE}"],
  [0, "NOOP"],
  [0, "SEARCH RECENT"],
  [0, "SEARCH NEW"],
];

/** Gives three messages and the commands to a server; all answers. */
async function conversation(port: number, user: string, secret: string): Promise<string[]> {
  const clients: Client[] = [];
  const all: string[] = [];
  try {
    for (let i = 0; i < 2; i++) {
      const c = await Client.connect(port);
      clients.push(c);
      await c.line();
      await c.ok(`LOGIN ${user} "${secret}"`);
    }
    for (const s of ["one", "two"]) await clients[0].append("INBOX", message(s));
    await clients[0].append("INBOX", message("three"), "(\\Seen) ");
    for (const [who, command] of commands) {
      const text = message("later");
      const lines = await clients[who].run(
        command.replace("{MESSAGE}", `{${text.length}+}\r\n${text}`),
      );
      all.push(`${who}: ${command}`, ...told(lines).map((l) => `  ${l}`));
    }
  } finally {
    for (const c of clients) c.close();
  }
  return all;
}

async function ours(): Promise<string[]> {
  const server = await startServer({ recent: true });
  try {
    return await conversation(server.port, login, password);
  } finally {
    await server.stop();
  }
}

Deno.test({
  name: "recent messages are told of as Dovecot tells of them",
  ignore: noDovecot,
  async fn() {
    const dovecot = await startDovecot();
    try {
      const theirs = await conversation(dovecot.port, dovecot.user, dovecot.password);
      assert.deepEqual(await ours(), theirs);
    } finally {
      await dovecot.stop();
    }
  },
});

Deno.test("SELECT takes recent messages, and each is of one session (RFC 3501 §2.3.2, 7.3.2)", async () => {
  const server = await startServer({ recent: true });
  try {
    const [a, b] = [await server.client(), await server.client()];
    for (const s of ["one", "two"]) await a.append("INBOX", message(s));
    await talk(
      a,
      `
      C: STATUS INBOX (RECENT)
      S: * STATUS INBOX (RECENT 2)
      S: OK done
      C: EXAMINE INBOX
      S: * FLAGS (…)
      S: * OK [PERMANENTFLAGS ()] …
      S: * 2 EXISTS
      S: * 2 RECENT
      S: * OK [UNSEEN 1] …
      S: * OK [UIDVALIDITY …
      S: * OK [UIDNEXT 3] …
      S: * OK [HIGHESTMODSEQ …
      S: * OK [URLMECH …
      S: * OK [MAILBOXID …
      S: OK [READ-ONLY] …
      C: FETCH 2 FLAGS
      S: * 2 FETCH (FLAGS (\\Recent))
      S: OK done
      C: LIST "" INBOX RETURN (STATUS (RECENT))
      S: * LIST (…) "/" INBOX
      S: * STATUS INBOX (RECENT 2)
      S: OK done
      C: UNSELECT
      S: OK done
      `,
    );
    const lines = await b.ok("SELECT INBOX");
    assert.ok(lines.includes("* 2 RECENT"), lines.join("\n"));
    // RFC 3501 §7.2.6, 6.4.6: no client can set it, so it is in neither list of flags.
    assert.ok(!lines.some((l) => l.includes("\\Recent")), lines.join("\n"));
    await talk(
      b,
      `
      C: FETCH 1:2 (FLAGS BODY[TEXT])
      S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {7}…)
      S: * 2 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {7}…)
      S: OK done
      C: STORE 1 -FLAGS (\\Seen)
      S: * 1 FETCH (FLAGS (\\Recent))
      S: OK done
      C: SEARCH NEW
      S: * SEARCH 1
      S: OK done
      C: SEARCH OR OLD SEEN
      S: * SEARCH 2
      S: OK done
      C: THREAD REFERENCES UTF-8 RECENT
      S: * THREAD (1)(2)
      S: OK done
      C: ESEARCH IN (selected personal) RECENT
      S: * ESEARCH (TAG "…" MAILBOX INBOX UIDVALIDITY …) UID ALL 1:2
      S: OK done
      `,
    );
    // Whoever selects it next gets nothing of these; nor does the same session again.
    for (const c of [a, b]) {
      const again = await c.ok("SELECT INBOX");
      assert.ok(again.includes("* 0 RECENT"), again.join("\n"));
      assert.deepEqual(await c.ok("SEARCH RECENT"), ["* SEARCH"]);
    }
  } finally {
    await server.stop();
  }
});

Deno.test("a session in IDLE is told of recent messages, and of fewer when they go", async () => {
  const server = await startServer({ recent: true });
  try {
    const [a, b] = [await server.client(), await server.client()];
    await a.ok("SELECT INBOX");
    a.send("i IDLE\r\n");
    assert.match(await a.line(), /^\+ /);
    for (const n of [1, 2]) {
      await b.append("INBOX", message(`${n}`));
      assert.equal(await a.line(), `* ${n} EXISTS`);
      assert.equal(await a.line(), `* ${n} RECENT`);
    }
    await b.ok("SELECT INBOX");
    assert.deepEqual(await b.ok("FETCH 1:2 FLAGS"), [
      "* 1 FETCH (FLAGS ())",
      "* 2 FETCH (FLAGS ())",
    ]);
    await b.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert.equal(await a.line(), "* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))");
    await b.ok("EXPUNGE");
    assert.equal(await a.line(), "* 1 EXPUNGE");
    assert.equal(await a.line(), "* 1 RECENT");
    a.send("DONE\r\n");
    assert.match(await a.line(), /^i OK/);
  } finally {
    await server.stop();
  }
});

Deno.test("clients that have enabled something are told of no recent messages, and take them all the same", async () => {
  const server = await startServer({ recent: true });
  try {
    for (const what of ["IMAP4rev2", "CONDSTORE", "UTF8=ACCEPT", "QRESYNC"]) {
      const c = await server.client();
      await c.append("INBOX", message(what));
      await c.ok(`ENABLE ${what}`);
      assert.deepEqual(await c.ok("STATUS INBOX (RECENT)"), ["* STATUS INBOX (RECENT 0)"]);
      const lines = await c.ok("SELECT INBOX");
      assert.equal(lines.includes("* 0 RECENT"), what !== "IMAP4rev2", lines.join("\n"));
      assert.match((await c.ok("FETCH 1 FLAGS"))[0], /FLAGS \(\)/);
      assert.ok(!/[0-9]$/.test((await c.ok("SEARCH RECENT"))[0]));
      await c.append("INBOX", message("more"));
      assert.ok(!(await c.ok("NOOP")).some((l) => l.endsWith("RECENT")));
      const next = await server.client();
      assert.ok((await next.ok("SELECT INBOX")).includes("* 0 RECENT"));
      await c.ok("UID STORE 1:* +FLAGS.SILENT (\\Deleted)");
      await c.ok("EXPUNGE");
      await next.ok("UNSELECT");
      // Behind the last uid that is gone nothing is recent either.
      assert.deepEqual(await next.ok("STATUS INBOX (RECENT)"), ["* STATUS INBOX (RECENT 0)"]);
    }
  } finally {
    await server.stop();
  }
});
