import assert from "node:assert/strict";
import { join } from "node:path";
import { Config, loadLocalserve, newAccountJunkSettings } from "../../src/config/mod.ts";
import { Trainer } from "../../src/delivery/training.ts";
import { JunkFilter } from "../../src/junk/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { accountRules } from "../../src/serve/rules.ts";
import type { Account } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { Flag } from "../../src/store/types.ts";

async function withTrainer(
  fn: (
    a: Account,
    t: Trainer,
    add: (mailbox: string, text: string) => Promise<number>,
  ) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const { config } = await loadLocalserve({ dir, adminPasswordHash: () => "x" });
  assert.ok(config instanceof Config);
  // As a new account of a server has it; localserve's sets no flags by mailbox.
  Object.assign(config.dynamic.Accounts.get("mox")!, newAccountJunkSettings());
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (name) => accountRules(config, name),
  );
  const trainer = new Trainer(config, new Log("junk"));
  let n = 0;
  accounts.onOpen = (a) => trainer.attach(a);
  try {
    const account = await accounts.open("mox");
    await fn(account, trainer, async (mailbox, text) => {
      // A new file each time: what is delivered is a link to it.
      const file = join(dir, `m${n++}`);
      const bytes = new TextEncoder().encode(`Subject: x\r\n\r\n${text}\r\n`);
      await Deno.writeFile(file, bytes);
      const m = await account.deliver(mailbox, {
        file,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
      });
      return m.uid;
    });
    account.close();
    await trainer.stop();
    await accounts.closeAll();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Messages that the filter has learned. */
async function learned(account: Account): Promise<{ hams: number; spams: number }> {
  const filter = await JunkFilter.open(account.dir);
  const r = { hams: filter.hams, spams: filter.spams };
  await filter.close();
  return r;
}

Deno.test("moving between mailboxes trains, untrains and trains anew, each once", () =>
  withTrainer(async (account, trainer, add) => {
    const inbox = account.mailboxByName("Inbox")!.id;
    const junk = account.mailboxByName("Junk")!.id;
    const archive = account.mailboxByName("Archive")!.id;
    const uid = await add("Inbox", "cheap pills");
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 0, spams: 0 });
    const { toUids } = await account.move(inbox, [uid], junk);
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 0, spams: 1 });
    // A flag that says nothing new is no second training.
    await account.storeFlags(junk, toUids, "add", Flag.Seen | Flag.Junk, []);
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 0, spams: 1 });
    const back = await account.move(junk, toUids, archive);
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 1, spams: 0 });
    await account.storeFlags(archive, back.toUids, "remove", Flag.NotJunk, []);
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 0, spams: 0 });
  }));

Deno.test("what has been learned tells spam from ham", () =>
  withTrainer(async (account, trainer, add) => {
    for (let i = 0; i < 20; i++) {
      await add("Junk", `cheap pills casino winner number${i}`);
      await add("Archive", `meeting agenda minutes project number${i}`);
    }
    await trainer.idle();
    const filter = await JunkFilter.open(account.dir);
    assert.ok(filter.classify(["cheap", "casino", "pills"]).probability > 0.95);
    assert.ok(filter.classify(["meeting", "agenda", "project"]).probability < 0.05);
    await filter.close();
  }));

Deno.test("retraining counts what is marked, each message as it is marked now", () =>
  withTrainer(async (account, trainer, add) => {
    for (let i = 0; i < 3; i++) await add("Junk", `cheap pills number${i}`);
    const uid = await add("Archive", "meeting agenda");
    await add("Archive", "minutes project");
    await add("Inbox", "neither of both");
    await trainer.idle();
    assert.deepEqual(await trainer.figures(account), { hams: 2, spams: 3, waiting: 0 });
    const archive = account.mailboxByName("Archive")!.id;
    const steps: number[] = [];
    assert.deepEqual(await trainer.retrain(account, (done, total) => steps.push(done, total)), {
      hams: 2,
      spams: 3,
    });
    assert.deepEqual(steps, []); // Only each hundred is told.
    assert.deepEqual(await learned(account), { hams: 2, spams: 3 });
    // Each is known to be trained: nothing is trained twice, and a change is a difference to it.
    assert.equal(account.db.get("SELECT count(*) FROM messages WHERE trained != 0")![0], 5);
    await account.storeFlags(archive, [uid], "remove", Flag.NotJunk, []);
    await trainer.idle();
    assert.deepEqual(await learned(account), { hams: 1, spams: 3 });
    // Both marks at once say nothing.
    await account.storeFlags(archive, [uid], "add", Flag.NotJunk | Flag.Junk, []);
    assert.deepEqual(await trainer.retrain(account), { hams: 1, spams: 3 });
  }));
