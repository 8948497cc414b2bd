/** Imports in the background: progress, abort, one at a time; and from another IMAP server. */
import assert from "node:assert/strict";
import type { Account } from "../../../src/store/account/account.ts";
import { Want } from "../../../src/store/types.ts";
import { HttpError } from "../../../src/web/http/mod.ts";
import { login, message, password } from "../../imap/server.ts";
import { outboundTo } from "../../support/outbound.ts";
import { withJobs } from "./jobs.ts";

const request = { account: "fred", mailbox: "", skipDuplicates: false };
const count = (a: Account, name: string) => a.mailboxByName(name)?.total;

Deno.test("an import goes on by itself, and is followed to its end", () =>
  withJobs(async (w) => {
    const token = w.jobs.startArchive(request, await w.file(450), "Old.mbox");
    assert.equal(w.jobs.running("fred")?.token, token);
    assert.equal(w.jobs.running("mjl"), undefined);
    const another = await w.file(1);
    assert.throws(() => w.jobs.startArchive(request, another, "x"), HttpError);
    await Deno.remove(another);
    const states = await w.follow(token);
    const last = states.at(-1)!;
    assert.deepEqual([last.phase, last.imported, last.mailboxes], ["done", 450, [["Old", 450]]]);
    assert.equal(count(w.fred, "Old"), 450);
    assert.equal(w.jobs.running("fred"), undefined);
    // It can still be looked at, by its account only.
    assert.equal((await w.follow(token)).length, 1);
    await assert.rejects(w.jobs.abort("mjl", token), HttpError);
    const again = w.jobs.startArchive(
      { ...request, skipDuplicates: true },
      await w.file(460),
      "Old.mbox",
    );
    const end = (await w.follow(again)).at(-1)!;
    assert.deepEqual([end.imported, end.duplicates], [10, 450]);
  }));

Deno.test("one that is aborted leaves nothing", () =>
  withJobs(async (w) => {
    const token = w.jobs.startArchive(
      { ...request, mailbox: "New" },
      await w.file(20_000),
      "Old.mbox",
    );
    for await (const s of w.jobs.follow("fred", token, new AbortController().signal)) {
      if (s.imported === 0) continue;
      assert.ok(s.imported < 20_000);
      break;
    }
    await w.jobs.abort("fred", token);
    assert.equal((await w.follow(token)).at(-1)!.phase, "aborted");
    assert.equal(w.fred.mailboxByName("New"), undefined);
    assert.equal(w.fred.db.get("SELECT count(*) FROM emails")![0], 0);
  }));

Deno.test("one of a file that is no archive tells why", () =>
  withJobs(async (w) => {
    const path = await w.file(0);
    const token = w.jobs.startArchive(request, path, "x");
    const end = (await w.follow(token)).at(-1)!;
    assert.deepEqual([end.phase, end.error], ["failed", "the file is empty"]);
  }));

Deno.test("from another server: mailboxes, flags and dates; later only what is new", () =>
  withJobs(async (w) => {
    const c = await w.server.client();
    await c.ok("CREATE Work/Plans");
    await c.ok("CREATE Hidden");
    await c.ok("UNSUBSCRIBE Hidden");
    await c.append("INBOX", message("a"), '(\\Seen \\Flagged work) "03-Mar-2026 10:20:30 +0000" ');
    await c.append("Work/Plans", message("b"));
    await c.append("Sent", message("c"), "(\\Seen) ");
    const o = {
      outbound: outboundTo(),
      host: "127.0.0.1",
      port: w.server.port,
      tls: false,
      plain: true,
      user: login,
    };
    const run = async (pass: string) =>
      (await w.follow(
        w.jobs.startImap({ ...request, skipDuplicates: true }, { ...o, password: pass }),
      ))
        .at(-1)!;
    const wrong = await run("wrong");
    assert.equal(wrong.phase, "failed");
    assert.match(wrong.error, /refuses name and password/);
    const first = await run(password);
    assert.deepEqual([first.phase, first.imported, first.error], ["done", 3, ""]);
    const inbox = w.fred.mailboxByName("Inbox")!;
    w.fred.fetch(inbox.id, w.fred.uids(inbox.id), Want.Summary, (r) => {
      assert.deepEqual(
        [r.summary.subject, r.flags, r.keywords, r.received],
        ["a", 5, "work", Date.UTC(2026, 2, 3, 10, 20, 30)],
      );
    });
    assert.deepEqual([count(w.fred, "Work/Plans"), count(w.fred, "Sent")], [1, 1]);
    const subscribed = w.fred.subscriptions();
    assert.ok(w.fred.mailboxByName("Hidden"));
    assert.deepEqual(
      ["Work/Plans", "Hidden"].map((name) => subscribed.includes(name)),
      [true, false],
    );
    await c.append("INBOX", message("d"));
    const second = await run(password);
    assert.deepEqual([second.phase, second.imported, second.duplicates], ["done", 1, 0]);
    assert.equal(count(w.fred, "Inbox"), 2);
  }));
