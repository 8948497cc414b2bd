/** The event stream: views, threads, filters, and changes that reach every page. */
import assert from "node:assert/strict";
import { Flag } from "../../../src/store/types.ts";
import type { Thread } from "../../../webmail/api/mod.ts";
import { message, query, refused, withWebmail } from "./server.ts";

Deno.test("a view starts with what the page needs, and lists the newest messages first", async () => {
  await withWebmail(async (w) => {
    for (let i = 1; i <= 5; i++) {
      await w.deliver(message({ subject: `number ${i}` }), { received: i * 1000 });
    }
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id), 3);
    const start = await e.expect("start");
    assert.equal(start.account, "mox");
    assert.equal(start.addresses[0].address, "mox@localhost");
    assert.equal(start.addresses[0].name, "Mox");
    assert.deepEqual(start.catchallDomains, ["localhost"]);
    assert.equal(start.mailboxes[0].name, "Inbox");
    assert.equal(start.mailboxes[0].unread, 5);
    assert.deepEqual(start.mailboxes.find((m) => m.name === "Sent")!.specialUse, ["sent"]);
    assert.equal(start.settings.threading, "unread");
    const first = await e.view();
    assert.deepEqual(
      first.threads.map((t) => t.map((m) => m.subject)),
      [["number 5"], ["number 4"], ["number 3"]],
    );
    assert.equal(first.end, false);
    assert.equal(first.total, 5);
    await b.call("ViewMore", {
      sseId: start.sseId,
      viewId: 1,
      page: { anchor: first.threads[2][0].id, count: 10 },
    });
    const second = await e.view();
    assert.deepEqual(second.threads.map((t) => t[0].subject), ["number 2", "number 1"]);
    assert.equal(second.end, true);
  });
});

Deno.test("another view replaces the first, and an unknown stream is refused", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({ subject: "a" }), { received: 1000 });
    await w.deliver(message({ subject: "b" }), { received: 2000 });
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id));
    const { sseId } = await e.expect("start");
    await e.view();
    const view = {
      viewId: 2,
      query: query(inbox.id, { order: "oldest" }),
      page: { anchor: null, count: 10 },
    };
    await b.call("ViewSet", { sseId, view });
    const v2 = await e.view(2);
    assert.deepEqual(v2.threads.map((t) => t[0].subject), ["a", "b"]);
    await refused(b.call("ViewSet", { sseId: "other", view }), "missing");
    await b.call("ViewSet", { sseId, view: { ...view, viewId: 3, query: query(12345) } });
    const failed = await e.expect("viewError");
    assert.equal(failed.viewId, 3);
  });
});

Deno.test("threads have their messages of all mailboxes, answers below what they answer", async () => {
  await withWebmail(async (w) => {
    const root = { subject: "plan", id: "1@x" };
    await w.deliver(message(root), { received: 1000 });
    await w.deliver(message({ subject: "other", id: "9@x" }), { received: 1500 });
    await w.deliver(message({ subject: "Re: plan", id: "2@x", references: ["1@x"] }), {
      received: 2000,
      mailbox: "Sent",
    });
    await w.deliver(message({ subject: "Re: plan", id: "3@x", references: ["1@x"] }), {
      received: 3000,
    });
    await w.deliver(message({ subject: "Re: plan", id: "4@x", references: ["1@x", "2@x"] }), {
      received: 4000,
    });
    await w.deliver(message({ subject: "Re: plan", id: "5@x", references: ["1@x"] }), {
      received: 5000,
      mailbox: "Trash",
    });
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id, { threading: "on" }));
    await e.expect("start");
    const { threads, end } = await e.view();
    assert.equal(end, true);
    assert.deepEqual(threads.map((t) => t.length), [4, 1]);
    const plan = threads[0];
    assert.deepEqual(plan.map((m) => m.received), [1000, 2000, 4000, 3000]);
    assert.deepEqual(plan.map((m) => m.level), [0, 1, 2, 1]);
    assert.deepEqual(plan.map((m) => m.matches), [true, false, true, true]);
    assert.deepEqual(plan[2].parentIds, [plan[1].emailId, plan[0].emailId]);
    assert.equal(plan[0].threadId, plan[3].threadId);
  });
});

Deno.test("a message that came back through a list is in one thread with its copy in Sent", async () => {
  await withWebmail(async (w) => {
    const post = message({ from: "mox@localhost", subject: "idea", id: "1@localhost" });
    const sent = await w.deliver(post, { received: 1000, mailbox: "Sent" });
    const back = await w.deliver(post, { received: 2000 });
    const answer = await w.deliver(
      message({ subject: "Re: idea", id: "2@x", references: ["1@localhost"] }),
      { received: 3000 },
    );
    const b = await w.login();
    const see = async (mailbox: string) => {
      const e = await b.events(query(w.account.mailboxByName(mailbox)!.id, { threading: "on" }));
      await e.expect("start");
      const { threads } = await e.view();
      return threads.map((t) => t.map((m) => [m.id, m.level]));
    };
    assert.deepEqual(await see("Inbox"), [[[back, 0], [answer, 1]]]);
    assert.deepEqual(await see("Sent"), [[[sent, 0], [answer, 1]]]);
  });
});

Deno.test("a message that makes two threads one takes the messages out of the other first", async () => {
  await withWebmail(async (w) => {
    const answer = (id: string, parent: string) =>
      message({ subject: "Re: plan", id, references: [parent] });
    const a = await w.deliver(answer("2@x", "1@x"), { received: 1000 });
    const b1 = await w.deliver(answer("3@x", "0@x"), { received: 2000 });
    const b2 = await w.deliver(answer("4@x", "3@x"), { received: 3000 });
    const b = await w.login();
    const e = await b.events(query(w.account.mailboxByName("Inbox")!.id, { threading: "on" }));
    await e.expect("start");
    // What a page does: it knows threads by their id.
    const page = new Map<number, number[]>();
    const put = (t: Thread) => page.set(t[0].threadId, t.map((m) => m.id));
    (await e.view()).threads.forEach(put);
    assert.deepEqual([...page.values()], [[b1, b2], [a]]);
    const parent = await w.deliver(message({ subject: "plan", id: "1@x" }), { received: 400 });
    const link = await w.deliver(
      message({ subject: "Re: plan", id: "0@x", references: ["1@x"] }),
      { received: 500 },
    );
    while (![...page.values()].some((ids) => ids.includes(link))) {
      for (const c of (await e.expect("changes")).changes) {
        if (c.kind === "threads") c.threads.forEach(put);
        if (c.kind !== "messagesRemove") continue;
        for (const [id, ids] of page) {
          const left = ids.filter((i) => !c.ids.includes(i));
          if (left.length > 0) page.set(id, left);
          else page.delete(id);
        }
      }
    }
    assert.deepEqual([...page.values()], [[parent, link, b1, b2, a]]);
  });
});

Deno.test("a new message reaches two pages at once, in its thread, with counts and a notice", async () => {
  await withWebmail(async (w) => {
    const first = await w.deliver(message({ subject: "plan", id: "1@x" }), { received: 1000 });
    const [a, b] = [await w.login(), await w.login()];
    const inbox = w.account.mailboxByName("Inbox")!;
    const sent = w.account.mailboxByName("Sent")!;
    const inInbox = await a.events(query(inbox.id, { threading: "on" }));
    const inSent = await b.events(query(sent.id));
    for (const e of [inInbox, inSent]) {
      await e.expect("start");
      await e.view();
    }
    const second = await w.deliver(
      message({ subject: "Re: plan", id: "2@x", references: ["1@x"] }),
      { received: 2000 },
    );
    const { threads } = await inInbox.change("threads");
    assert.deepEqual(threads.map((t) => t.map((m) => m.id)), [[first, second]]);
    const other = await inSent.expect("changes");
    assert.deepEqual(other.changes.map((c) => c.kind), ["arrived", "mailboxCounts"].sort());
    const counts = other.changes.find((c) => c.kind === "mailboxCounts")!;
    assert.deepEqual(counts.kind === "mailboxCounts" && counts.counts.total, 2);
  });
});

Deno.test("flags, moves, mailboxes and threads' states of one page reach the other", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({ id: "1@x" }), { received: 1000 });
    const [a, b] = [await w.login(), await w.login()];
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id));
    await e.expect("start");
    await e.view();
    await a.call("FlagsSet", {
      target: { ids: [id] },
      add: ["seen", "flagged"],
      remove: [],
      addKeywords: ["work"],
      removeKeywords: [],
    });
    const flags = await e.change("flags");
    assert.deepEqual(flags.items, [{ id, flags: ["seen", "flagged"], keywords: ["work"] }]);
    await a.call("ThreadMute", { target: { ids: [id] }, mute: true });
    const state = await e.change("threadState");
    assert.deepEqual([state.muted, state.collapsed], [true, true]);
    await a.call("ThreadCollapse", { target: { ids: [id] }, collapse: false });
    const open = await e.change("threadState");
    assert.deepEqual([open.muted, open.collapsed], [true, false]);
    const { mailbox } = await a.call("MailboxCreate", { name: "Lists/deno" });
    assert.equal(mailbox.name, "Lists/deno");
    const added = await e.change("mailboxAdd");
    assert.equal(added.mailbox.name, "Lists");
    await a.call("MailboxRename", { id: mailbox.id, name: "Lists/d" });
    assert.equal((await e.change("mailboxRename")).name, "Lists/d");
    await a.call("MailboxSetSpecialUse", { id: mailbox.id, specialUse: ["junk"] });
    assert.deepEqual((await e.change("mailboxSpecialUse")).id > 0, true);
    await a.call("Move", { target: { ids: [id] }, mailboxId: mailbox.id });
    assert.deepEqual((await e.change("messagesRemove")).ids, [id]);
    await a.call("MailboxDelete", { id: mailbox.id });
    assert.equal((await e.change("mailboxRemove")).id, mailbox.id);
    const settings = { ...(await a.call("SettingsGet", {})).settings, signature: "-- Mox" };
    await a.call("SettingsSet", { settings });
    assert.equal((await e.change("settings")).settings.signature, "-- Mox");
    assert.equal((await b.call("SettingsGet", {})).settings.signature, "-- Mox");
  });
});

Deno.test("filters find what meets all their conditions, across mailboxes", async () => {
  await withWebmail(async (w) => {
    const day = 86400_000;
    await w.deliver(
      message({ from: "Bob <bob@example.com>", subject: "Ärger im Büro", body: "Kaffee ist alle" }),
      { received: 10 * day, keywords: ["work"] },
    );
    await w.deliver(message({ subject: "lunch", body: "coffee at noon" }), {
      received: 11 * day,
      flags: Flag.Seen | Flag.Flagged,
    });
    await w.deliver(
      message({
        subject: "report",
        more: "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b",
        body: "--b\n\ntext\n--b\nContent-Type: image/png; name=a.png\n\nxx\n--b--",
      }),
      { received: 12 * day, mailbox: "Archive" },
    );
    await w.deliver(message({ subject: "spam coffee" }), { received: 13 * day, mailbox: "Junk" });
    const b = await w.login();
    const find = async (filter: Parameters<typeof query>[1] & object) => {
      const e = await b.events(query(null, filter));
      await e.expect("start");
      const { threads, end } = await e.view();
      e.close();
      assert.equal(end, true);
      return threads.map((t) => t[0].subject);
    };
    const all = ["report", "lunch", "Ärger im Büro"];
    assert.deepEqual(await find({}), all);
    assert.deepEqual(await find({ filter: { words: ["COFFEE"] } }), ["lunch"]);
    assert.deepEqual(await find({ filter: { notWords: ["kaffee", "coffee"] } }), ["report"]);
    assert.deepEqual(await find({ filter: { from: ["bob"] } }), ["Ärger im Büro"]);
    assert.deepEqual(await find({ filter: { notFrom: ["bob"], to: ["mox@"] } }), [
      "report",
      "lunch",
    ]);
    assert.deepEqual(await find({ filter: { subject: ["büro"] } }), ["Ärger im Büro"]);
    assert.deepEqual(await find({ filter: { attachments: "with" } }), ["report"]);
    assert.deepEqual(await find({ filter: { attachments: "without" } }), [
      "lunch",
      "Ärger im Büro",
    ]);
    assert.deepEqual(await find({ filter: { oldest: 11 * day, newest: 12 * day } }), ["lunch"]);
    assert.deepEqual(await find({ filter: { flags: ["flagged"] } }), ["lunch"]);
    assert.deepEqual(await find({ filter: { notFlags: ["seen"] } }), ["report", "Ärger im Büro"]);
    assert.deepEqual(await find({ filter: { keywords: ["work"] } }), ["Ärger im Büro"]);
    assert.deepEqual(await find({ filter: { largerThan: 180 } }), ["report"]);
    assert.deepEqual(
      await find({ filter: { headers: [{ name: "MIME-Version", text: "" }] } }),
      ["report"],
    );
    assert.deepEqual(await find({ order: "oldest" }), [...all].reverse());
    // Junk is only looked in when it is asked for.
    const junk = w.account.mailboxByName("Junk")!;
    const e = await b.events(query(junk.id, { filter: { words: ["coffee"] } }));
    await e.expect("start");
    assert.equal((await e.view()).threads.length, 1);
  });
});

Deno.test("pages of a search go on where the last one ended", async () => {
  await withWebmail(async (w) => {
    for (let i = 0; i < 30; i++) {
      await w.deliver(message({ subject: i % 3 === 0 ? `yes ${i}` : `no ${i}` }), {
        received: 1000 + i,
        mailbox: i % 2 === 0 ? "Inbox" : "Archive",
      });
    }
    const b = await w.login();
    const e = await b.events(query(null, { filter: { subject: ["yes"] } }), 4);
    const { sseId } = await e.expect("start");
    const found: string[] = [];
    for (let ended = false; !ended;) {
      const { threads, end, total } = await e.view();
      found.push(...threads.map((t) => t[0].subject));
      ended = end;
      if (end) assert.equal(total, 10);
      else await b.call("ViewMore", { sseId, viewId: 1, page: { anchor: null, count: 4 } });
    }
    assert.deepEqual(found, [27, 24, 21, 18, 15, 12, 9, 6, 3, 0].map((i) => `yes ${i}`));
  });
});

Deno.test("a message that arrives with an old date comes when the list gets there", async () => {
  await withWebmail(async (w) => {
    for (let i = 1; i <= 6; i++) {
      await w.deliver(message({ subject: `m${i}` }), { received: i * 1000 });
    }
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id), 2);
    const { sseId } = await e.expect("start");
    assert.deepEqual((await e.view()).threads.map((t) => t[0].subject), ["m6", "m5"]);
    await w.deliver(message({ subject: "late" }), { received: 3500 });
    await e.change("mailboxCounts");
    await b.call("ViewMore", { sseId, viewId: 1, page: { anchor: null, count: 10 } });
    assert.deepEqual(
      (await e.view()).threads.map((t) => t[0].subject),
      ["m4", "late", "m3", "m2", "m1"],
    );
  });
});

Deno.test("a view goes on until the message that a link names", async () => {
  await withWebmail(async (w) => {
    const ids: number[] = [];
    for (let i = 1; i <= 20; i++) ids.push(await w.deliver(message({}), { received: i * 1000 }));
    const b = await w.login();
    const inbox = w.account.mailboxByName("Inbox")!;
    const e = await b.events(query(inbox.id), 2);
    const { sseId } = await e.expect("start");
    await e.view();
    await b.call("ViewSet", {
      sseId,
      view: {
        viewId: 2,
        query: query(inbox.id),
        page: { anchor: null, count: 2, until: ids[10] },
      },
    });
    const { threads } = await e.view();
    assert.equal(threads.at(-1)![0].id, ids[10]);
    assert.equal(threads.length, 10);
  });
});

Deno.test("logging out ends the session's streams, and those of other sessions stay", async () => {
  await withWebmail(async (w) => {
    const [a, b] = [await w.login(), await w.login()];
    const inbox = w.account.mailboxByName("Inbox")!;
    const [ea, eb] = [await a.events(query(inbox.id)), await b.events(query(inbox.id))];
    for (const e of [ea, eb]) {
      await e.expect("start");
      await e.view();
    }
    await a.call("Logout", {});
    assert.equal((await ea.expect("end")).reason, "logged out");
    assert.equal(await ea.next(), undefined);
    await w.deliver(message({}));
    await eb.change("arrived");
    const { sessions } = await b.call("SessionsList", {});
    assert.equal(sessions.length, 1);
    await b.call("SessionRevoke", { id: sessions[0].id });
    await eb.expect("end");
    await refused(b.call("SettingsGet", {}), "login");
  });
});

Deno.test("many new messages at once make the view stale instead of flooding the page", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(message({}));
    const archive = w.account.mailboxByName("Archive")!;
    const inbox = w.account.mailboxByName("Inbox")!;
    await w.account.copy(inbox.id, [w.account.message(id)!.uid], archive.id);
    const double = () => w.account.copy(archive.id, w.account.uids(archive.id), archive.id);
    for (let n = 1; n < 1024; n *= 2) await double();
    const b = await w.login();
    const e = await b.events(query(archive.id));
    const { sseId } = await e.expect("start");
    await e.view();
    await double();
    // The copy comes in slices: what is told of it before the view is stale is bounded.
    let [threads, stale, total] = [0, false, 0];
    while (!stale || total < 2048) {
      const { changes } = await e.expect("changes");
      for (const c of changes) {
        if (c.kind === "threads") threads += c.threads.length;
        else if (c.kind === "viewStale") stale = true;
        else if (c.kind === "mailboxCounts") total = c.counts.total;
      }
    }
    assert.ok(threads <= 500, `${threads}`);
    // More of the stale view is nothing; a new view has them all.
    const page = { anchor: null, count: 1000 };
    await b.call("ViewMore", { sseId, viewId: 1, page });
    await b.call("ViewSet", { sseId, view: { viewId: 2, query: query(archive.id), page } });
    assert.equal((await e.view()).threads.length, 1000);
  });
});
