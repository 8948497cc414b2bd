/** Moving in from Dovecot by IMAP: all comes, once, also if the connection breaks or our server is stopped. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { SpecialUse, Want } from "../../src/store/types.ts";
import type { Account } from "../../src/store/account/account.ts";
import { type Dovecot, noDovecot, startDovecot } from "../support/dovecot.ts";
import { outboundTo } from "../support/outbound.ts";
import { type JobsWorld, withJobs } from "../web/account/jobs.ts";

const request = { account: "fred", mailbox: "", skipDuplicates: true };
const plans = "Work.Grö&ße.100%";

/** Messages with all kinds of flags in mailboxes of the other server. */
async function fill(d: Dovecot, count: number): Promise<void> {
  const c = new ImapFlow({
    host: "127.0.0.1",
    port: d.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: d.user, pass: d.password },
    logger: false,
  });
  await c.connect();
  await c.mailboxCreate(plans);
  await c.mailboxCreate("Nothing inside");
  const flags = [[], ["\\Seen"], ["\\Flagged", "$Forwarded", "work"], ["\\Answered", "\\Deleted"]];
  for (let i = 0; i < count; i++) {
    const id = i % 5 === 0 ? "" : `Message-ID: <${i}@x.example>\r\n`;
    const text = `Subject: message ${i}\r\n${id}\r\n${"body\r\n".repeat(200)}`;
    const date = new Date(Date.UTC(2024, 0, 1, 0, 0, i));
    const mailbox = ["INBOX", plans, "Verstuurd"][i % 3];
    await c.append(mailbox, text, flags[i % 4], date);
  }
  await c.logout();
}

/** A way to the server that breaks off after so many bytes of its, for the first connections. */
function breaking(
  port: number,
  limits: number[],
): { port: number; breaks(): number; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let breaks = 0;
  const open = new Set<Deno.Conn>();
  const end = (c: Deno.Conn) => {
    try {
      c.close();
    } catch {
      // Closed by the other side of it.
    }
    open.delete(c);
  };
  const pipe = async (from: Deno.Conn, to: Deno.Conn, limit: number) => {
    const buffer = new Uint8Array(4096);
    let total = 0;
    try {
      for (;;) {
        const n = await from.read(buffer);
        if (n === null) break;
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
        if ((total += n) > limit) {
          breaks++;
          break;
        }
      }
    } catch {
      // Broken from the other direction.
    }
    end(from);
    end(to);
  };
  void (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(client).add(server);
      void pipe(client, server, Infinity);
      void pipe(server, client, limits.shift() ?? Infinity);
    }
  })().catch(() => {});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    breaks: () => breaks,
    close() {
      listener.close();
      for (const c of [...open]) end(c);
    },
  };
}

function rows(a: Account, mailbox: string): string[] {
  const m = a.mailboxByName(mailbox);
  assert.ok(m, mailbox);
  const out: string[] = [];
  a.fetch(m.id, a.uids(m.id), Want.Summary, (r) => {
    out.push(
      `${r.summary.subject} ${r.flags} ${r.keywords} ${(r.received - Date.UTC(2024, 0, 1)) / 1000}`,
    );
  });
  return out;
}

const mailboxes = ["Inbox", "Work/Grö&ße/100_"];
/** Numbers of the messages in each of three mailboxes. */
const wanted = (count: number, k: number) =>
  Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === k);
const expected = (i: number) =>
  `message ${i} ${[0, 1, 4 | 32, 2 | 8][i % 4]} ${i % 4 === 2 ? "work" : ""} ${i}`;

/** All are there, each once. */
function check(w: JobsWorld, count: number): void {
  const sent = w.fred.mailboxBySpecialUse(SpecialUse.Sent)!.name;
  for (const [k, mailbox] of [...mailboxes, sent].entries()) {
    assert.deepEqual(rows(w.fred, mailbox), wanted(count, k).map(expected), mailbox);
  }
  assert.equal(w.fred.mailboxByName("Nothing inside")?.total, 0);
  assert.equal(w.fred.mailboxByName("Verstuurd"), undefined);
}

const options = (d: Dovecot, port = d.port) => ({
  outbound: outboundTo(),
  host: "127.0.0.1",
  port,
  tls: false,
  plain: true,
  user: d.user,
  password: d.password,
  retryDelays: [0, 1, 2],
});

Deno.test({
  name: "from Dovecot: over connections that break, what came stays, and nothing comes twice",
  ignore: noDovecot,
  fn: async () => {
    const dovecot = await startDovecot();
    // The fourth gets nothing done: only so many of these in a row are too many.
    const way = breaking(dovecot.port, [90_000, 150_000, 90_000, 1500, 1500]);
    try {
      await fill(dovecot, 400);
      await withJobs(async (w) => {
        const sent = w.fred.mailboxBySpecialUse(SpecialUse.Sent)!;
        await w.fred.renameMailbox(sent.name, "Verzonden");
        const end = (await w.follow(w.jobs.startImap(request, options(dovecot, way.port)))).at(-1)!;
        assert.deepEqual([end.phase, end.error, end.imported, end.part], ["done", "", 400, 1]);
        assert.equal(way.breaks(), 5);
        check(w, 400);
        const again = (await w.follow(w.jobs.startImap(request, options(dovecot)))).at(-1)!;
        assert.deepEqual([again.phase, again.imported, again.duplicates], ["done", 0, 0]);
      });
    } finally {
      way.close();
      await dovecot.stop();
    }
  },
});

Deno.test({
  name: "from Dovecot: stopped with our server it goes on from there, aborted it leaves nothing",
  ignore: noDovecot,
  fn: async () => {
    const dovecot = await startDovecot();
    try {
      await fill(dovecot, 700);
      await withJobs(async (w) => {
        /** Begins an import, and waits until it has brought something. */
        const begin = async () => {
          const token = w.jobs.startImap(request, options(dovecot));
          for await (const s of w.jobs.follow("fred", token, new AbortController().signal)) {
            if (s.imported > 0) return token;
          }
          throw new Error("it ended before");
        };
        const before = w.fred.mailboxes().map((m) => `${m.name} ${m.total}`);
        const token = await begin();
        await w.jobs.abort("fred", token);
        assert.equal((await w.follow(token)).at(-1)!.phase, "aborted");
        assert.deepEqual(w.fred.mailboxes().map((m) => `${m.name} ${m.total}`), before);
        await begin();
        await w.restart();
        const count = () => w.fred.mailboxes().reduce((n, m) => n + m.total, 0);
        const there = count();
        assert.ok(there > 0 && there < 700, `${there}`);
        const end = (await w.follow(w.jobs.startImap(request, options(dovecot)))).at(-1)!;
        assert.deepEqual([end.phase, end.error], ["done", ""]);
        assert.ok(end.imported <= 700 - there, `${end.imported}`);
        check(w, 700);
      });
    } finally {
      await dovecot.stop();
    }
  },
});

Deno.test({
  name: "from Dovecot with a token of OAuth2",
  ignore: noDovecot,
  fn: async () => {
    const dovecot = await startDovecot();
    try {
      await fill(dovecot, 4);
      await withJobs(async (w) => {
        const run = async (accessToken: string) => {
          const { password: _, ...o } = options(dovecot);
          return (await w.follow(w.jobs.startImap(request, { ...o, accessToken }))).at(-1)!;
        };
        const wrong = await run("another");
        assert.equal(wrong.phase, "failed");
        assert.match(wrong.error, /refuses name and password/);
        const right = await run(dovecot.token);
        assert.deepEqual([right.phase, right.error, right.imported], ["done", "", 4]);
      });
    } finally {
      await dovecot.stop();
    }
  },
});

Deno.test({
  name: "an account that is full takes what there is room for, and the rest when there is more",
  ignore: noDovecot,
  fn: async () => {
    const dovecot = await startDovecot();
    try {
      await fill(dovecot, 300);
      await withJobs(async (w) => {
        const end = (await w.follow(w.jobs.startImap(request, options(dovecot)))).at(-1)!;
        assert.deepEqual([end.phase, end.error], [
          "failed",
          "there is not enough room in the account",
        ]);
        const inbox = w.fred.mailboxByName("Inbox")!;
        assert.equal(inbox.total, 100);
        // Room is made: what failed before was not taken for brought.
        await w.fred.expunge(inbox.id, undefined, undefined, { force: true });
        const more = (await w.follow(w.jobs.startImap(request, options(dovecot)))).at(-1)!;
        assert.ok(more.imported >= 50);
        const there = rows(w.fred, mailboxes[1]);
        assert.deepEqual(there, wanted(300, 1).slice(0, there.length).map(expected));
      }, { quota: 130_000 });
    } finally {
      await dovecot.stop();
    }
  },
});
