/**
 * Copies of what programs send by the web API, cut off by the end of the server step by step: the data folder is
 * copied as it is at that step, and another server starts with the copy. A message that the queue has is in Sent,
 * one that it hasn't is not. tests/crash/kill_webapi_test.ts does it with SIGKILL.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { copyFolder } from "../../support/copy_folder.ts";
import { message, withWebmail, type World } from "./server.ts";

const id = "order-4711@shop";
const text = message({ id, subject: "Order" });

/** Messages that are under way, as they are noted. */
function noted(w: World): number {
  const db = new DatabaseSync(join(w.services.config.dataDir, "scheduled.db"));
  db.exec("PRAGMA busy_timeout = 5000");
  const n = db.prepare("SELECT count(*) AS n FROM sending").get()!.n as number;
  db.close();
  return n;
}

const inSent = (w: World) => w.account.mailboxByName("Sent")!.total;

/** Sends with a copy. @param before runs before the copy is kept */
function send(
  w: World,
  submit: (key: string) => Promise<string>,
  before = () => Promise.resolve(),
): Promise<string> {
  return w.webmail.sendWithCopy(w.account, {
    messageId: id,
    mailbox: w.account.mailboxByName("Sent")!,
    keep: async () => {
      await before();
      await w.deliver(text, { mailbox: "Sent" });
    },
    submit,
  });
}

for (const step of ["noted", "kept", "taken"] as const) {
  Deno.test(`a program's message, cut off when it is ${step}: its copy is there if the queue has it`, async () => {
    const dir = await Deno.makeTempDir();
    const taken = new Set<string>();
    await withWebmail(async (w) => {
      // Another message of this id, sent before, stays whatever comes.
      await w.deliver(text, { mailbox: "Sent" });
      await send(w, async (key) => {
        if (step === "kept") await copyFolder(w.dir, dir);
        taken.add(key);
        if (step === "taken") await copyFolder(w.dir, dir);
        return "sent";
      }, async () => {
        if (step === "noted") await copyFolder(w.dir, dir);
      });
      assert.equal(noted(w), 0);
      assert.equal(inSent(w), 2);
    }, { wasSubmitted: (_account, key) => taken.has(key) });
    await withWebmail(
      async (w) => {
        for (let i = 0; noted(w) > 0; i++) {
          assert.ok(i < 1200, "it is still under way");
          await new Promise((resolve) => setTimeout(resolve, 25));
        }
        assert.equal(inSent(w), step === "taken" ? 2 : 1);
      },
      {
        submit: () => assert.fail("nobody but the program sends it again"),
        wasSubmitted: (_account, key) => step === "taken" && taken.has(key),
      },
      dir,
    );
  });
}

Deno.test("a program's message that is refused has no copy, and one that fails when the queue has it keeps it", async () => {
  const taken = new Set<string>();
  await withWebmail(async (w) => {
    await assert.rejects(send(w, () => Promise.reject(new Error("too many"))), /too many/);
    assert.equal(inSent(w), 0);
    assert.equal(noted(w), 0);
    const late = send(w, (key) => {
      taken.add(key);
      return Promise.reject(new Error("only some recipients"));
    });
    await assert.rejects(late, /only some recipients/);
    assert.equal(inSent(w), 1);
    assert.equal(noted(w), 0);
    const unkept = send(w, () => assert.fail("it is not handed over"), () => {
      return Promise.reject(new Error("the disk is full"));
    });
    await assert.rejects(unkept, /the disk is full/);
    assert.equal(inSent(w), 1);
    assert.equal(noted(w), 0);
  }, { wasSubmitted: (_account, key) => taken.has(key) });
});
