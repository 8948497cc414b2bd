/** Changes of thousands of messages: in slices, with the same result as in one piece, and others served. */
import assert from "node:assert/strict";
import { Flag } from "../../src/store/types.ts";
import { message, startServer, type TestServer } from "../imap/server.ts";

async function withServer(fn: (s: TestServer) => Promise<void>): Promise<void> {
  const server = await startServer();
  try {
    await fn(server);
  } finally {
    await server.stop();
  }
}

Deno.test("COPY, STORE, MOVE and EXPUNGE of 2,000 messages let another write through in the middle", () =>
  withServer(async (s) => {
    const { account } = s;
    const inbox = account.mailboxByName("Inbox")!.id;
    const archive = account.mailboxByName("Archive")!.id;
    const file = await Deno.makeTempFile();
    const text = message("one");
    await Deno.writeTextFile(file, text);
    const one = { file, fileSize: text.length, prefix: new Uint8Array(0) };
    await account.append(inbox, Array.from({ length: 1000 }, () => one));
    // Doubled within the mailbox.
    await account.copy(inbox, account.uids(inbox), inbox);
    const uids = account.uids(inbox);
    assert.equal(uids.length, 2000);

    /** Another's write, asked for when the first part of the change has been made, is done before the change is. */
    const meanwhile = async <T>(change: () => Promise<T>): Promise<T> => {
      const listener = account.listen();
      let done = false;
      const other = listener.wait().then(() => account.subscribe("Elsewhere")).then(() => {
        assert.equal(done, false, "nothing else was written in between");
      });
      const result = await change().finally(() => done = true);
      listener.close();
      await other;
      return result;
    };

    const copy = await meanwhile(() => account.copy(inbox, uids, archive));
    assert.deepEqual(copy.fromUids, [...uids]);
    assert.deepEqual(copy.toUids, [...account.uids(archive)]);
    const flags = await meanwhile(() =>
      account.storeFlags(inbox, uids, "add", Flag.Deleted, ["k"])
    );
    assert.equal(flags.changed.length, 2000);
    const moved = await meanwhile(() => account.move(archive, account.uids(archive), inbox));
    assert.equal(moved.toUids.length, 2000);
    assert.equal(account.uids(archive).length, 0);
    const gone = await meanwhile(() => account.expunge(inbox));
    assert.deepEqual(gone.uids, [...uids]);
    assert.equal(account.uids(inbox).length, 2000);
    assert.equal(account.mailbox(inbox)!.deleted, 0);
    await Deno.remove(file);
  }));

Deno.test("a COPY that fails in the middle leaves no copies", () =>
  withServer(async (s) => {
    const { account } = s;
    const inbox = account.mailboxByName("Inbox")!.id;
    const archive = account.mailboxByName("Archive")!.id;
    const file = await Deno.makeTempFile();
    const text = message("one");
    await Deno.writeTextFile(file, text);
    await account.append(
      inbox,
      Array.from(
        { length: 1000 },
        () => ({ file, fileSize: text.length, prefix: new Uint8Array(0) }),
      ),
    );
    const write = account.writer.writePart.bind(account.writer);
    let parts = 0;
    account.writer.writePart = (fn, origin) =>
      ++parts === 3 ? Promise.reject(new Error("planted")) : write(fn, origin);
    await assert.rejects(account.copy(inbox, account.uids(inbox), archive), /planted/);
    assert.equal(account.uids(archive).length, 0);
    assert.equal(account.uids(inbox).length, 1000);
    await Deno.remove(file);
  }));
