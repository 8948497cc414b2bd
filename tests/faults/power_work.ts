/**
 * What power_cut_test.ts records: a process that changes an account and a queue in the given folder. Before
 * each change it writes to the file `acks` what is going to be, and after it that it is promised.
 *
 * @module
 */
import { join } from "node:path";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { syncFile } from "../../src/platform/files.ts";
import { Queue } from "../../src/queue/mod.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { importMessages } from "../../src/store/import/import.ts";
import { pathSource } from "../../src/store/import/path.ts";
import { testRules } from "../store/setup.ts";
import { type Note, powerText } from "./power_text.ts";

setLogSink(() => {});
const dir = Deno.args[0];
const acks = Deno.openSync(join(dir, "acks"), { write: true, create: true, append: true });
const note = (n: Note) => acks.writeSync(new TextEncoder().encode(`${JSON.stringify(n)}\n`));

/** Says where messages are going to be, runs, and says that they are. */
async function promised(ids: readonly string[], where: string, fn: () => Promise<unknown>) {
  note({ ids, where, done: false });
  await fn();
  note({ ids, where, done: true });
}

const tmp = join(dir, "tmp");
await Deno.mkdir(tmp);
const file = async (id: string) => {
  const path = join(tmp, id);
  const content = new TextEncoder().encode(powerText(id));
  await Deno.writeFile(path, content);
  return { file: path, fileSize: content.length, prefix: new Uint8Array(0) };
};

const accounts = new Accounts(join(dir, "accounts"), new Log("store"), () => testRules);
const account = await accounts.open("test");
const queue = await Queue.open(dir, {
  log: new Log("queue"),
  deliverer: {
    deliver: (_m, items) => Promise.resolve(items.map(() => ({ kind: "delivered" as const }))),
  },
  onDsn: () => Promise.resolve(),
});
const inbox = account.mailboxByName("Inbox")!.id;
const uidOf = (id: string, mailbox = inbox) =>
  [...account.uids(mailbox)].filter((uid) => {
    const r = account.openMessage(account.messageByUid(mailbox, uid)!.emailId);
    const text = new TextDecoder().decode(r.read(0, r.size));
    r.close();
    return text.includes(`Subject: ${id}\r\n`);
  });

for (let round = 0; round < 3; round++) {
  // Deliveries that share their syncs.
  await Promise.all(Array.from({ length: 4 }, async (_, i) => {
    const id = `delivered-${round}-${i}`;
    const m = await file(id);
    await promised([id], "Inbox", () => account.deliver("Inbox", m));
  }));
  const pair = [`first-${round}`, `second-${round}`];
  const list = [await file(pair[0]), await file(pair[1])];
  await promised(pair, "Inbox", () => account.append(inbox, list));
  const id = `queued-${round}`;
  const m = await file(id);
  // As the queue asks of its callers.
  await syncFile(m.file);
  await promised([id], "queue", () =>
    queue.add({
      ...m,
      senderAccount: "test",
      mailFrom: "me@example.org",
      recipients: [{ address: `${id}@x.example` }],
      smtputf8: false,
      has8bit: false,
      requireTls: false,
    }));
  const gone = `delivered-${round}-1`;
  await promised(
    [gone],
    "gone",
    () => account.expunge(inbox, uidOf(gone), undefined, { force: true }),
  );
  const moved = `delivered-${round}-2`;
  await promised(
    [moved],
    "Archive",
    () => account.move(inbox, uidOf(moved), account.mailboxByName("Archive")!.id),
  );
  const imported = [`imported-${round}-a`, `imported-${round}-b`];
  const mbox = join(tmp, `mbox-${round}`);
  await Deno.writeTextFile(
    mbox,
    imported.map((i) => `From a@b Mon Jan  1 00:00:00 2024\n${powerText(i).replaceAll("\r", "")}\n`)
      .join(""),
  );
  await promised(
    imported,
    `Old${round}`,
    async () =>
      await importMessages(account, (await pathSource(mbox, "x")).source, {
        mailbox: `Old${round}`,
        tempDir: tmp,
      }),
  );
  // The writes of a checkpoint are cut too.
  if (round > 0) await account.db.checkpoint();
}
account.close();
await accounts.closeAll();
await queue.stop();
