/** Later changes at another server: flags and removals are carried over, and what was changed here stays. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { moveByImap, type MoveOptions } from "../../src/admin/moving/mail.ts";
import { Flag, Want } from "../../src/store/types.ts";
import { login, message, password } from "../imap/server.ts";
import { outboundTo } from "../support/outbound.ts";
import { withJobs } from "../web/account/jobs.ts";

Deno.test("flags and removals of another server are followed where that is wanted", () =>
  withJobs(async (w) => {
    const c = await w.server.client();
    for (const name of ["a", "b", "c", "d", "e"]) await c.append("INBOX", message(name));
    await c.ok("CREATE Work");
    await c.append("Work", message("w"));
    const fred = w.fred;
    const run = async (follow: boolean) => {
      const o: MoveOptions = {
        accounts: w.server.accounts,
        tempDir: join(w.server.dir, "import"),
        parallel: 1,
        done() {},
      };
      const [r] = await moveByImap(o, {
        outbound: outboundTo(),
        host: "127.0.0.1",
        port: w.server.port,
        tls: false,
        plain: true,
        follow,
      }, [{ account: "fred", user: login, password }]);
      assert.equal(r.error, "");
      return r;
    };
    const shown = (name: string) => {
      const list: [string, number, string][] = [];
      const { id } = fred.mailboxByName(name)!;
      fred.fetch(id, fred.uids(id), Want.Summary, (r) => {
        list.push([r.summary.subject, r.flags, r.keywords]);
      });
      return list.sort();
    };
    assert.equal((await run(true)).imported, 6);
    const inbox = fred.mailboxByName("Inbox")!.id;
    const uidOf = (subject: string) => {
      let uid = 0;
      fred.fetch(inbox, fred.uids(inbox), Want.Summary, (r) => {
        if (r.summary.subject === subject) uid = r.uid;
      });
      return uid;
    };
    // Here: one is flagged, one is moved, one is removed.
    await fred.storeFlags(inbox, [uidOf("a")], "add", Flag.Flagged, ["mine"]);
    await fred.move(inbox, [uidOf("d")], fred.mailboxByName("Archive")!.id);
    await fred.expunge(inbox, [uidOf("e")], undefined, { force: true });
    // There: flags, and removals, also of the one that was moved.
    await c.ok("SELECT INBOX");
    await c.ok("STORE 1 +FLAGS (\\Seen work)");
    await c.ok("STORE 5 +FLAGS (\\Seen)");
    await c.ok("STORE 2,4 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    await c.append("INBOX", message("f"));
    // Without it nothing but new mail comes.
    const before = shown("Inbox");
    const plain = await run(false);
    assert.deepEqual([plain.imported, plain.followed], [1, 0]);
    assert.deepEqual(shown("Inbox").filter(([s]) => s !== "f"), before);
    const r = await run(true);
    assert.deepEqual([r.imported, r.followed, r.warnings], [0, 2, []]);
    assert.deepEqual(shown("Inbox"), [
      ["a", Flag.Seen | Flag.Flagged, "mine work"],
      ["c", 0, ""],
      ["f", 0, ""],
    ]);
    assert.deepEqual(shown("Archive").map(([s]) => s), ["d"]);
    // A flag that is taken away there, and once more nothing.
    await c.ok("STORE 1 -FLAGS (\\Seen)");
    assert.equal((await run(true)).followed, 1);
    assert.deepEqual(shown("Inbox")[0], ["a", Flag.Flagged, "mine work"]);
    assert.equal((await run(true)).followed, 0);
    // A mailbox that was emptied, or is gone: an old server that is cleared takes nothing away here.
    await c.ok("STORE 1:* +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    await c.ok("DELETE Work");
    const cleared = await run(true);
    assert.equal(cleared.followed, 0);
    assert.match(cleared.warnings.join(), /^INBOX: is empty there now/);
    assert.equal(shown("Inbox").length, 3);
    assert.equal(shown("Work").length, 1);
  }));
