/**
 * Sending that the end of the server cuts off, step by step: the data folder is copied as it is at that step, and
 * another server starts with the copy. Each message is then in Sent once, is handed to the queue once, and leaves no
 * draft; marks are set. tests/crash/kill_sending_test.ts does it with SIGKILL.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Flag } from "../../../src/store/types.ts";
import { UserError } from "../../../src/web/http/mod.ts";
import { loadLocalserve } from "../../../src/config/mod.ts";
import { Log } from "../../../src/log/mod.ts";
import { accountRules } from "../../../src/serve/rules.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { copyFolder } from "../../support/copy_folder.ts";
import { composition, message, query, refused, withWebmail, type World } from "./server.ts";

async function until(what: string, fn: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    if (await fn()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(what);
}

const total = (w: World, name: string) => w.account.mailboxByName(name)?.total ?? 0;

function ask(w: World, what: string): number {
  const db = new DatabaseSync(join(w.services.config.dataDir, "scheduled.db"));
  db.exec("PRAGMA busy_timeout = 5000");
  const n = db.prepare(`SELECT ${what} AS n FROM sending`).get()!.n as number;
  db.close();
  return n;
}

/** Messages that are being sent, as they are noted. */
const noted = (w: World) => ask(w, "count(*)");
const failures = (w: World) => ask(w, "max(failures)");

/** What was sent, and how. */
interface Cut {
  /** The folder as it was left. */
  dir: string;
  key: string;
  asked: number;
  draftId: number | null;
  to: string;
}

const compositionOf = (to: string, inReplyTo: number) =>
  composition({ subject: "Re: q", to: [to], bcc: ["hidden@example.org"], inReplyTo });

type Step = "noted" | "kept" | "taken" | "answered";

/** A server that ends at a step of sending. */
async function cut(step: Step, o: { draft: boolean; to: string }): Promise<Cut> {
  const dir = await Deno.makeTempDir();
  const key = crypto.randomUUID();
  let asked = 0;
  let draftId: number | null = null;
  let taken = false;
  let folder = "";
  await withWebmail(async (w) => {
    folder = w.dir;
    asked = await w.deliver(message({ id: "1@x", subject: "q" }));
    const b = await w.login();
    const c = compositionOf(o.to, asked);
    if (o.draft) {
      draftId = (await b.call("DraftSave", { draftId: null, key, composition: c })).draftId;
    }
    await b.call("Send", {
      ...{ composition: c, draftId, key, undo: 0, sendAt: null },
      ...{ requireTls: null, archiveThread: false },
    });
    if (step === "answered") await copyFolder(w.dir, dir);
    assert.equal(noted(w), 0);
  }, {
    wasSubmitted: () => taken,
    async submit() {
      taken = step === "taken" || step === "answered";
      if (step !== "answered") await copyFolder(folder, dir);
      taken = true;
    },
  });
  if (step === "noted") await withoutCopy(dir);
  return { dir, key, asked, draftId, to: o.to };
}

/** The note of "noted": all is as with "kept", but for the copy. */
async function withoutCopy(dir: string): Promise<void> {
  const { config } = await loadLocalserve({ dir, adminPasswordHash: () => Promise.resolve("x") });
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (name) => accountRules(config, name),
  );
  const account = await accounts.open("mox");
  const sent = account.mailboxByName("Sent")!.id;
  await account.expunge(sent, account.uids(sent), undefined, { force: true });
  account.close();
  await accounts.closeAll();
}

/** A server that starts where another ended, with what the queue has got from it. */
async function after(
  c: Cut,
  had: boolean,
  fn: (w: World, got: string[]) => Promise<void>,
  submit: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const got: string[] = [];
  const mine = `${c.key}@localhost`;
  await withWebmail(
    (w) => fn(w, got),
    {
      async submit(m) {
        assert.ok(!had && !got.includes(m.messageId), "it is handed to the queue once");
        await submit();
        assert.equal(m.messageId, mine);
        const text = await Deno.readTextFile(m.file);
        assert.match(text, /^From: [^]*Subject: Re: q\r\n[^]*it works/);
        assert.doesNotMatch(text, /hidden@|X-Mox-Draft/);
        assert.equal(m.fileSize, text.length);
        assert.deepEqual(m.recipients.slice(1), ["hidden@example.org"]);
        got.push(m.messageId);
      },
      wasSubmitted: (_account, m) => (had && m === mine) || got.includes(m),
    },
    c.dir,
  );
}

/** How all ends, wherever it was cut off. */
async function sentOnce(w: World, c: Cut): Promise<void> {
  await until("nothing is under way", () => noted(w) === 0);
  assert.equal(total(w, "Sent"), 1);
  assert.equal(total(w, "Drafts"), 0);
  assert.notEqual(w.account.message(c.asked)!.flags & Flag.Answered, 0);
  const b = await w.login();
  const sent = await b.events(query(w.account.mailboxByName("Sent")!.id));
  await sent.expect("start");
  const [[{ id }]] = (await sent.view()).threads;
  const { composition } = await b.call("DraftGet", { id });
  assert.deepEqual(composition.bcc, ["hidden@example.org"]);
}

const again = (c: Cut) => ({
  ...{ composition: compositionOf(c.to, c.asked), draftId: c.draftId, key: c.key, undo: 0 },
  ...{ sendAt: null, requireTls: null, archiveThread: false },
});

for (const to of ["ann@example.org", "mox@localhost"]) {
  for (const draft of [true, false]) {
    const how = `${draft ? "with" : "without"} a draft, to ${to}`;

    Deno.test(`cut off before the queue has it, ${how}: the next start sends it`, async () => {
      const c = await cut("kept", { draft, to });
      await after(c, false, async (w, got) => {
        await sentOnce(w, c);
        assert.equal(got.length, 1);
        const b = await w.login();
        assert.match(await refused(b.call("Send", again(c)), "user"), /sent already/);
        const { composition, draftId, key } = again(c);
        const late = await b.call("DraftSave", { composition, draftId, key });
        assert.equal(late.draftId, null);
        await sentOnce(w, c);
      });
    });

    Deno.test(`cut off when the queue has it, ${how}: the next start does the rest`, async () => {
      const c = await cut("taken", { draft, to });
      await after(c, true, async (w) => {
        if (to === "mox@localhost") await w.deliver(message({ id: `${c.key}@localhost` }));
        await sentOnce(w, c);
        const b = await w.login();
        assert.match(await refused(b.call("Send", again(c)), "user"), /sent already/);
        await sentOnce(w, c);
      });
    });

    Deno.test(`its answer was lost, ${how}: it isn't sent again`, async () => {
      const c = await cut("answered", { draft, to });
      await after(c, true, async (w) => {
        if (to === "mox@localhost") await w.deliver(message({ id: `${c.key}@localhost` }));
        const b = await w.login();
        assert.match(await refused(b.call("Send", again(c)), "user"), /sent already/);
        await sentOnce(w, c);
      });
    });

    Deno.test(`cut off before its copy, ${how}: it is as if nothing was sent`, async () => {
      const c = await cut("noted", { draft, to });
      await after(c, false, async (w, got) => {
        await until("nothing is under way", () => noted(w) === 0);
        assert.equal(total(w, "Sent"), 0);
        assert.equal(total(w, "Drafts"), draft ? 1 : 0);
        assert.equal(got.length, 0);
        const b = await w.login();
        assert.deepEqual((await b.call("Send", again(c))).warnings, []);
        await sentOnce(w, c);
        assert.equal(got.length, 1);
      });
    });
  }
}

Deno.test("what is refused at the next start is a draft again that says why, and has no copy", async () => {
  const c = await cut("kept", { draft: true, to: "ann@example.org" });
  await after(c, false, async (w, got) => {
    await until("nothing is under way", () => noted(w) === 0);
    assert.equal(got.length, 0);
    assert.equal(total(w, "Sent"), 0);
    assert.equal(total(w, "Drafts"), 1);
    const b = await w.login();
    const e = await b.events(query(w.account.mailboxByName("Drafts")!.id));
    await e.expect("start");
    const [[{ id }]] = (await e.view()).threads;
    const draft = await b.call("DraftGet", { id });
    assert.match(draft.failure, /limit of 10/);
    assert.equal(draft.key, c.key);
    assert.equal(draft.composition.inReplyTo, c.asked);
    assert.deepEqual(draft.composition.bcc, ["hidden@example.org"]);
  }, () => Promise.reject(new UserError("limit of 10 messages a day reached")));
});

Deno.test("who sends again while the next start can't goes first, and what was noted is called off", async () => {
  const c = await cut("kept", { draft: true, to: "ann@example.org" });
  let broken = true;
  await after(c, false, async (w, got) => {
    const b = await w.login();
    await until("it was tried", () => failures(w) > 0);
    assert.equal(total(w, "Sent"), 1);
    broken = false;
    await b.call("Send", again(c));
    await sentOnce(w, c);
    assert.equal(got.length, 1);
  }, () => broken ? Promise.reject(new Error("the disk is away")) : Promise.resolve());
});

Deno.test("the queue has taken it and fails after it: it is sent, and kept", async () => {
  let taken = false;
  await withWebmail(async (w) => {
    const b = await w.login();
    const r = await b.call("Send", {
      ...{ composition: composition(), draftId: null, key: crypto.randomUUID(), undo: 0 },
      ...{ sendAt: null, requireTls: null, archiveThread: false },
    });
    assert.notEqual(r.sentId, null);
    assert.equal(total(w, "Sent"), 1);
    assert.equal(noted(w), 0);
  }, {
    wasSubmitted: () => taken,
    submit() {
      taken = true;
      return Promise.reject(new Error("no room for what comes after"));
    },
  });
});
