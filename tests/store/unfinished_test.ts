/** Changes in many writes that a crash cuts off: the next start takes back what they had brought. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log } from "../../src/log/mod.ts";
import type { Account } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { importMessages } from "../../src/store/import/import.ts";
import type { Source } from "../../src/store/import/sources.ts";
import { appendAll } from "../../src/store/messages/unfinished.ts";
import { testRules, type TestStore, withStore } from "./setup.ts";

/** The account's folder as a power cut would leave it now. */
function snapshot(s: TestStore): string {
  const to = Deno.makeTempDirSync({ dir: s.dir });
  const copy = (from: string, into: string) => {
    Deno.mkdirSync(into, { recursive: true });
    for (const e of Deno.readDirSync(from)) {
      if (e.isDirectory) copy(join(from, e.name), join(into, e.name));
      // SQLite makes it anew from the log.
      else if (!e.name.endsWith("-shm")) {
        Deno.copyFileSync(join(from, e.name), join(into, e.name));
      }
    }
  };
  copy(join(s.dir, "accounts", "test"), join(to, "test"));
  return to;
}

/** Opens it, and looks when nothing changes any more. */
async function afterwards(dir: string, look: (a: Account) => void): Promise<void> {
  const accounts = new Accounts(dir, new Log("store"), () => testRules);
  const account = await accounts.open("test");
  try {
    const unfinished = () =>
      JSON.parse(account.db.get("SELECT settings FROM state")![0]).unfinished !== undefined;
    while (unfinished()) await new Promise((resolve) => setTimeout(resolve, 5));
    look(account);
  } finally {
    account.close();
    // Counts are checked against messages, and files against rows.
    await accounts.closeAll();
  }
}

const count = (a: Account, mailbox: string) => a.uids(a.mailboxByName(mailbox)!.id).length;

/** Calls it once, when a mailbox has so many messages and the change isn't done. */
async function inTheMiddle(
  s: TestStore,
  mailbox: string,
  messages: number,
  change: Promise<unknown>,
): Promise<string> {
  let taken: string | undefined;
  const id = s.account.mailboxByName(mailbox)!.id;
  let done = false;
  const watched = change.finally(() => {
    done = true;
  });
  while (taken === undefined && !done) {
    if (s.account.uids(id).length >= messages) taken = snapshot(s);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await watched;
  assert.ok(taken !== undefined, "the change was never seen in the middle");
  return taken;
}

Deno.test("a COPY of 2,000 that a crash cuts off leaves nothing; finished, all of it", () =>
  withStore(async (s) => {
    const { account } = s;
    const inbox = account.mailboxByName("Inbox")!.id;
    const one = await s.message("Subject: one\n\nbody\n");
    await account.append(inbox, Array.from({ length: 500 }, () => one));
    await account.copy(inbox, account.uids(inbox), inbox);
    await account.copy(inbox, account.uids(inbox), inbox);
    const uids = account.uids(inbox);
    assert.equal(uids.length, 2000);
    const archive = account.mailboxByName("Archive")!.id;
    // One that is there already stays.
    await account.deliver("Archive", one);
    const cut = await inTheMiddle(s, "Archive", 2, account.copy(inbox, uids, archive));
    await afterwards(cut, (a) => {
      assert.equal(count(a, "Archive"), 1);
      assert.equal(count(a, "Inbox"), 2000);
    });
    await afterwards(snapshot(s), (a) => assert.equal(count(a, "Archive"), 2001));
  }));

Deno.test("thousands put into another account: all, or after a crash none", () =>
  withStore(async (s) => {
    const one = await s.message("Subject: one\n\nbody\n");
    const inbox = s.account.mailboxByName("Inbox")!.id;
    const list = Array.from({ length: 350 }, () => one);
    const cut = await inTheMiddle(s, "Inbox", 1, appendAll(s.account, inbox, list));
    await afterwards(cut, (a) => assert.equal(count(a, "Inbox"), 0));
    assert.equal(count(s.account, "Inbox"), 350);
  }));

Deno.test("messages of thousands of parts come in writes of their own: all, or after a crash none", () =>
  withStore(async (s) => {
    const parts = await s.message(
      `Content-Type: multipart/mixed; boundary=b\n\n${"--b\n\nx\n".repeat(6000)}--b--\n`,
    );
    const inbox = s.account.mailboxByName("Inbox")!.id;
    const cut = await inTheMiddle(
      s,
      "Inbox",
      1,
      appendAll(s.account, inbox, Array.from({ length: 9 }, () => parts)).then((uids) => {
        assert.deepEqual(uids, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }),
    );
    await afterwards(cut, (a) => assert.equal(count(a, "Inbox"), 0));
    await afterwards(snapshot(s), (a) => assert.equal(count(a, "Inbox"), 9));
  }));

/** 250 messages for two mailboxes; then `end`. */
async function* source(end: () => void): Source {
  for (let i = 0; i < 250; i++) {
    const content = new TextEncoder().encode(
      `To: <x${i}@example.org>\r\nSubject: ${i}\r\n\r\nx\r\n`,
    );
    yield {
      below: i % 2 ? "Sent" : "Old/Letters",
      use: 0,
      content,
      flags: 0,
      keywords: [],
      received: 1e12,
      place: `${i}`,
    };
  }
  end();
  await Promise.resolve();
}

Deno.test("an import that a crash cuts off leaves nothing, unless its parts are to stay", () =>
  withStore(async (s) => {
    const tempDir = join(s.dir, "tmp");
    await Deno.mkdir(tempDir);
    await s.account.deliver("Sent", await s.message("To: <y@example.org>\n\nx\n"));
    const run = async (when: "read" | "in place", more: { keepOnFailure?: () => boolean }) => {
      let cut = "";
      const take = () => {
        if (when === "read") cut = snapshot(s);
      };
      const progress = ({ placed }: { placed: number }) => {
        if (when === "in place" && cut === "" && placed > 150) cut = snapshot(s);
      };
      await importMessages(s.account, source(take), { mailbox: "", tempDir, progress, ...more });
      assert.notEqual(cut, "");
      return cut;
    };
    let before = 1;
    for (const when of ["read", "in place"] as const) {
      await afterwards(await run(when, {}), (a) => {
        assert.equal(count(a, "Sent"), before, when);
        assert.equal(a.mailboxByName("Old/Letters")?.total, before === 1 ? undefined : before - 1);
        const [n] = a.db.get("SELECT count(*) FROM recipients")!;
        assert.equal(n, before, when);
      });
      before += 125;
      assert.equal(count(s.account, "Sent"), before);
    }
    await afterwards(await run("read", { keepOnFailure: () => true }), (a) => {
      assert.ok(count(a, "Sent") > before + 50);
    });
  }));
