/** Clients that others wrote: imapflow, and python's imaplib where python3 is there. */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { login, message, password, startServer } from "./server.ts";

Deno.test("imapflow: STARTTLS, a day of use", async () => {
  const keyCert = await selfSignedCertificate({ names: ["localhost"] });
  const s = await startServer({ keyCert, plaintextLogin: false });
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: s.port,
    secure: false,
    auth: { user: login, pass: password },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  try {
    await client.connect();
    assert.equal(client.secureConnection, true);
    await client.mailboxCreate("work");
    for (const x of ["one", "two", "three"]) {
      const r = await client.append("INBOX", message(x), x === "one" ? ["\\Seen"] : []);
      assert.ok(r && r.uid);
    }
    const lock = await client.getMailboxLock("INBOX");
    try {
      assert.equal(client.mailbox && client.mailbox.exists, 3);
      const subjects: string[] = [];
      for await (
        const m of client.fetch("1:*", { envelope: true, flags: true, bodyStructure: true })
      ) {
        subjects.push(m.envelope!.subject!);
      }
      assert.deepEqual(subjects, ["one", "two", "three"]);
      assert.deepEqual(await client.search({ seen: false }), [2, 3]);
      assert.ok(await client.messageFlagsAdd("2", ["\\Flagged", "$work"]));
      assert.deepEqual(await client.search({ keyword: "$work" }), [2]);
      const copied = await client.messageCopy("1", "work");
      assert.ok(copied && copied.destination === "work");
      const moved = await client.messageMove("3", "Archive");
      assert.ok(moved && moved.uidMap?.get(3) === 1);
      const one = await client.download("1");
      let text = "";
      for await (const part of one.content!) text += part.toString();
      assert.match(text, /Subject: one/);
      assert.ok(await client.messageDelete("1"));
      assert.deepEqual(await client.search({ all: true }), [1]);
      const told = new Promise<number>((resolve) =>
        client.once("exists", (e: { count: number }) => resolve(e.count))
      );
      const idling = client.idle();
      await s.account.append(asMailboxId(1), [await newMessage(s.dir)]);
      assert.equal(await told, 2);
      lock.release();
      await client.noop();
      await idling;
    } finally {
      lock.release();
    }
    const names = (await client.list()).map((m) => `${m.path} ${m.specialUse ?? ""}`.trim());
    assert.ok(names.includes("Sent \\Sent") && names.includes("work"), names.join());
    const status = await client.status("Archive", { messages: true, unseen: true });
    assert.equal(status && status.messages, 1);
    await client.mailboxDelete("work");
    await client.logout();
  } finally {
    client.close();
    await s.stop();
  }
});

async function newMessage(dir: string) {
  const file = `${dir}/idle.eml`;
  const text = message("idle");
  await Deno.writeTextFile(file, text);
  return { file, fileSize: text.length, prefix: new Uint8Array(0) };
}

const script = `
import imaplib, sys
M = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
M.login(sys.argv[2], sys.argv[3])
assert M.create("lib")[0] == "OK"
for i in range(5):
    assert M.append("INBOX", "(\\\\Seen)" if i == 0 else None, None, ("Subject: m%d\\r\\n\\r\\nbody %d\\r\\n" % (i, i)).encode())[0] == "OK"
typ, data = M.select("INBOX")
assert data == [b"5"], data
assert M.search(None, "UNSEEN")[1] == [b"2 3 4 5"]
typ, data = M.fetch("2", "(UID FLAGS BODY.PEEK[TEXT])")
assert data[0][1] == b"body 1\\r\\n", data
assert M.store("3:4", "+FLAGS", "(\\\\Deleted)")[0] == "OK"
assert M.copy("1:2", "lib")[0] == "OK"
assert M.expunge()[1] == [b"3", b"3"]
assert M.uid("SEARCH", None, "ALL")[1] == [b"1 2 5"]
assert M.sort("(REVERSE SUBJECT)", "UTF-8", "ALL")[1] == [b"3 2 1"]
assert M.thread("REFERENCES", "UTF-8", "ALL")[0] == "OK"
assert M.xatom("MOVE", "1", "lib")[0] == "OK"
assert M.uid("SEARCH", None, "ALL")[1] == [b"2 5"]
tag = M._new_tag()
M.send(tag + b" IDLE\\r\\n")
assert M.readline().startswith(b"+")
M.send(b"DONE\\r\\n")
assert M.readline() == tag + b" OK done\\r\\n"
assert M.xatom("NOTIFY", "SET (SELECTED (MessageNew MessageExpunge))")[0] == "OK"
assert M.xatom("NOTIFY", "NONE")[0] == "OK"
assert M.status("lib", "(MESSAGES)")[1] == [b"lib (MESSAGES 3)"]
assert M.getquotaroot("INBOX")[0] == "OK"
assert M.rename("lib", "library")[0] == "OK"
assert M.delete("library")[0] == "OK"
assert M.close()[0] == "OK"
assert M.logout()[0] == "BYE"
print("done")
`;

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "python imaplib: a day of use",
  ignore: !await hasPython(),
  async fn() {
    const s = await startServer();
    try {
      const out = await new Deno.Command("python3", {
        args: ["-c", script, String(s.port), login, password],
      }).output();
      assert.equal(
        new TextDecoder().decode(out.stdout).trim(),
        "done",
        new TextDecoder().decode(out.stderr),
      );
    } finally {
      await s.stop();
    }
  },
});
