/** Mailboxes shared between accounts, through a whole server with imapflow. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { Config } from "../../src/config/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { forgetRights } from "../../src/serve/removals.ts";
import { MailServer } from "../../src/serve/server.ts";
import { grantedRights } from "../../src/store/mailboxes/rights.ts";
import { Shares } from "../../src/store/mailboxes/shares.ts";
import { freePorts, writeSmallConfig } from "./instance.ts";

for (const pkg of ["serve", "imapserver", "control", "store"]) setLevel(pkg, "error");
const password = "correct horse";

async function withServer(fn: (dir: string, port: number, s: MailServer) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  const [smtp, imap] = await freePorts(2);
  await writeSmallConfig(dir, { ports: { smtp, imap } });
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    "\tbob:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tbob@mox.example: nil\n",
    { append: true },
  );
  const server = await MailServer.start({
    config: await Config.load(`${dir}/config/mox.conf`),
    local: false,
    prepare: async (accounts) => {
      for (const name of ["ann", "bob"]) await setAccountPassword(accounts, name, password);
    },
  });
  try {
    await fn(dir, imap, server);
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

async function client(port: number, user: string): Promise<ImapFlow> {
  const c = new ImapFlow({
    host: "127.0.0.1",
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass: password },
    logger: false,
  });
  await c.connect();
  return c;
}

Deno.test("imapflow: a mailbox is shared, found in its namespace, used, and gone with the account", () =>
  withServer(async (dir, port, server) => {
    const ann = await client(port, "ann@mox.example");
    await ann.mailboxCreate("Team");
    await ann.append("Team", "Subject: hello team\r\n\r\nhi\r\n");
    const { exec } = ann as unknown as {
      exec(command: string, args: { type: string; value: string }[]): Promise<
        { next(): void }
      >;
    };
    const arg = (value: string) => ({ type: "STRING", value });
    (await exec.call(ann, "SETACL", [arg("Team"), arg("bob@mox.example"), arg("lrswi")])).next();

    const bob = await client(port, "bob@mox.example");
    assert.equal(bob.capabilities.has("ACL"), true);
    const names = (await bob.list()).map((m) => m.path);
    const path = "Other Users/ann/Team";
    assert.ok(names.includes(path), names.join());
    const lock = await bob.getMailboxLock(path);
    try {
      const found = await bob.fetchOne("1", { envelope: true, flags: true });
      assert.equal(found && found.envelope?.subject, "hello team");
      await bob.messageFlagsAdd("1", ["\\Seen"]);
      await bob.messageCopy("1", "INBOX");
    } finally {
      lock.release();
    }
    const inbox = await bob.status("INBOX", { messages: true });
    assert.equal(inbox && inbox.messages, 1);
    const team = await ann.status("Team", { unseen: true });
    assert.equal(team && team.unseen, 0);
    await bob.logout();
    await ann.logout();

    // Without bob in the configuration nothing of his rights is left.
    const without = (await Deno.readTextFile(`${dir}/config/domains.conf`)).replace(
      /\tbob:\n(\t\t.*\n)+/,
      "",
    );
    await Deno.writeTextFile(`${dir}/config/domains.conf`, without);
    const config = await Config.load(`${dir}/config/mox.conf`);
    const shares = await Shares.open(`${dir}/data`);
    try {
      assert.deepEqual(shares.owners("bob"), ["ann"]);
      await forgetRights(config, server.accounts, shares);
      assert.deepEqual(shares.owners("bob"), []);
    } finally {
      await shares.close();
    }
    const account = await server.accounts.open("ann");
    assert.deepEqual(grantedRights(account.db, account.mailboxByName("Team")!.id), []);
    account.close();
  }));
