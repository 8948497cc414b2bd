/**
 * A Postfix and Dovecot pair of Debian moves in while mail arrives: users with hashes, aliases, mail by a master
 * user and again for what is new, then the same from the Maildirs.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { Config } from "../../src/config/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { runAdminCommand } from "../../src/serve/control/admin_commands.ts";
import { MailServer } from "../../src/serve/server.ts";
import { Log } from "../../src/log/mod.ts";
import { isRoot } from "../../src/platform/users.ts";
import { giveToNobody, noDovecot } from "../support/dovecot.ts";
import { answers, until } from "../support/listening.ts";
import { freePorts } from "../support/ports.ts";
import { must, startPostfix } from "../support/postfix.ts";
import { lacks } from "../support/programs.ts";

for (const pkg of ["serve", "imapserver", "smtpserver", "store", "queue", "import", "auth"]) {
  setLevel(pkg, "error");
}

const nobody = 65534;
const domain = "pair.example";
const users = ["ann", "bob", "cas"] as const;
const passwordOf = (user: string) => `secret of ${user}`;
/** A scheme for each of them. */
const schemes = { ann: "SHA512-CRYPT", bob: "BLF-CRYPT", cas: "SSHA512" } as const;

async function run(program: string, ...args: string[]): Promise<string> {
  const r = await new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).output();
  assert(r.success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(r.stderr)}`);
  return new TextDecoder().decode(r.stdout).trim();
}

async function startImap(
  dir: string,
  port: number,
  passwdFile: string,
): Promise<() => Promise<void>> {
  const master = await run("doveadm", "pw", "-s", "SHA512-CRYPT", "-p", "master secret");
  await Deno.writeTextFile(join(dir, "users"), passwdFile);
  await Deno.writeTextFile(join(dir, "masters"), `mover:${master}\n`);
  await Deno.writeTextFile(
    join(dir, "dovecot.conf"),
    `
base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = ${dir}/dovecot.log
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_master_user_separator = *
mail_location = maildir:${dir}/vmail/%d/%n/Maildir
mail_uid = ${nobody}
mail_gid = ${nobody}
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = ${dir}/masters
  master = yes
  result_success = continue
}
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${nobody} gid=${nobody} home=${dir}/vmail/%d/%n
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
  );
  await must("dovecot", "-c", join(dir, "dovecot.conf"));
  await answers("127.0.0.1", port);
  return async () => {
    await run("doveadm", "-c", join(dir, "dovecot.conf"), "stop").catch(() => {});
  };
}

async function imapClient(port: number, user: string, pass: string): Promise<ImapFlow> {
  const c = new ImapFlow({
    host: "127.0.0.1",
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass, loginMethod: "AUTH=PLAIN" },
    logger: false,
  });
  await c.connect();
  return c;
}

/** Subjects in a mailbox with their flags, sorted, but for what AutomaticJunkFlags set here. */
async function subjects(port: number, user: string, mailbox: string): Promise<string[]> {
  const c = await imapClient(port, `${user}@${domain}`, passwordOf(user));
  const lock = await c.getMailboxLock(mailbox);
  const found: string[] = [];
  for await (const m of c.fetch("1:*", { envelope: true, flags: true })) {
    const flags = [...m.flags ?? []].filter((f) => f !== "\\Recent" && f !== "$NotJunk")
      .sort().join(" ");
    found.push(`${m.envelope?.subject}${flags === "" ? "" : ` ${flags}`}`);
  }
  lock.release();
  await c.logout();
  return found.sort();
}

Deno.test({
  name:
    "a Postfix and Dovecot pair moves in while mail arrives: users, hashes, aliases, mail, Maildirs",
  ignore: noDovecot || lacks("postfix", "dovecot") || !isRoot(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "mox-pair-" });
    await Deno.chmod(dir, 0o755);
    const [smtp, oldImap, newImap] = await freePorts(3);
    await Deno.mkdir(`${dir}/vmail/${domain}`, { recursive: true });
    await giveToNobody(`${dir}/vmail`);
    let passwdFile = "";
    for (const user of users) {
      const hash = await run("doveadm", "pw", "-s", schemes[user], "-p", passwordOf(user));
      passwdFile += `${user}@${domain}:${hash}::::::\n`;
    }
    const virtual = `sales@${domain} ann@${domain}\nall@${domain} ann@${domain}, bob@${domain}, ` +
      `cas@${domain}\nfar@${domain} someone@elsewhere.example\n`;
    const stopImap = await startImap(dir, oldImap, passwdFile);
    await using _postfix = await startPostfix(`${dir}/instance`, {
      address: "127.0.0.1",
      port: smtp,
      main: `
myhostname = mx.${domain}
mydestination =
virtual_mailbox_domains = ${domain}
virtual_mailbox_base = ${dir}/vmail
virtual_mailbox_maps = inline:{ ${
        users.map((u) => `{ ${u}@${domain} = ${domain}/${u}/Maildir/ }`).join(", ")
      } }
virtual_alias_maps = inline:{ { sales@${domain} = ann@${domain} } }
virtual_uid_maps = static:${nobody}
virtual_gid_maps = static:${nobody}
`,
    });
    const sender = nodemailer.createTransport({ host: "127.0.0.1", port: smtp, ignoreTLS: true });
    let sent = 0;
    const arrive = async (to: string) => {
      await sender.sendMail({
        from: "joe@sender.example",
        to: `${to}@${domain}`,
        subject: `mail ${sent++}`,
        text: "hello",
      });
    };
    const arrived = (user: string) => {
      const box = `${dir}/vmail/${domain}/${user}/Maildir`;
      return ["new", "cur"].reduce((n, sub) => {
        try {
          return n + [...Deno.readDirSync(`${box}/${sub}`)].length;
        } catch {
          return n;
        }
      }, 0);
    };
    const config = `DataDir: ../data
LogLevel: error
Hostname: mail.${domain}
Listeners:
	internal:
		IPs:
			- 127.0.0.1
		IMAP:
			Enabled: true
			Port: ${newImap}
			NoRequireSTARTTLS: true
Postmaster:
	Account: root
	Mailbox: Inbox
`;
    await Deno.mkdir(`${dir}/new/config`, { recursive: true });
    await Deno.writeTextFile(`${dir}/new/config/mox.conf`, config);
    await Deno.writeTextFile(
      `${dir}/new/config/domains.conf`,
      "Domains:\n\thost.example: nil\nAccounts:\n\troot:\n\t\tDomain: host.example\n\t\tDestinations:\n\t\t\troot@host.example: nil\n",
    );
    const server = await MailServer.start({
      config: await Config.load(`${dir}/new/config/mox.conf`),
      local: false,
    });
    const context = { config: server.config, accounts: server.accounts, log: new Log("admin") };
    let printed = "";
    const command = async (
      name: string,
      args: Record<string, string | boolean | number | string[]>,
    ) => {
      printed = "";
      return await runAdminCommand(context, name, args, (text) => printed += text);
    };
    try {
      for (const user of users) {
        await arrive(user);
        await arrive(user);
      }
      await until(
        () => users.every((u) => arrived(u) === 2),
        () => Promise.resolve("mail did not arrive"),
      );
      const c = await imapClient(oldImap, `ann@${domain}`, passwordOf("ann"));
      await c.mailboxCreate("Work/Plans");
      await c.append("Work/Plans", "Subject: plan\r\n\r\nbody\r\n", [
        "\\Seen",
        "\\Flagged",
        "important",
      ]);
      await c.append("Sent", "Subject: sent one\r\nTo: x@elsewhere.example\r\n\r\nbody\r\n", [
        "\\Seen",
      ]);
      await c.logout();

      await command("import accounts", { text: passwdFile });
      assert.match(printed, /domain pair\.example\n/);
      assert.match(printed, /4 changes made, 3 passwords set|3 changes made, 3 passwords set/);
      await command("import aliases", { text: virtual });
      assert.match(printed, /alias far@pair\.example: someone@elsewhere\.example/);
      assert.match(printed, /address sales@pair\.example of account ann/);

      const imap = {
        host: "127.0.0.1",
        port: oldImap,
        tls: "none",
        master: "mover",
        password: "master secret",
        accounts: users.map((u) => `${u}@${domain}`),
        parallel: 2,
      };
      // Mail goes on arriving at the old server meanwhile.
      let more = true;
      const arriving = (async () => {
        for (let i = 0; more && i < 30; i++) await arrive(users[i % 3]);
      })();
      const first = await command("import imap", imap);
      assert.deepEqual(first, { failed: 0 }, printed);
      more = false;
      await arriving;
      await until(
        () => users.reduce((n, u) => n + arrived(u), 0) === sent,
        () => Promise.resolve("mail did not arrive"),
      );
      // Now the MX leads here: what had come to the old one until then comes too, and nothing twice.
      assert.deepEqual(await command("import imap", imap), { failed: 0 }, printed);
      for (const user of users) {
        assert.deepEqual(
          await subjects(newImap, user, "INBOX"),
          (await subjects(oldImap, user, "INBOX")).sort(),
          user,
        );
      }
      assert.deepEqual(await subjects(newImap, "ann", "Work/Plans"), [
        "plan \\Flagged \\Seen important",
      ]);
      assert.deepEqual(await subjects(newImap, "ann", "Sent"), ["sent one \\Seen"]);
      assert.deepEqual(await command("import imap", imap), { failed: 0 });
      assert.match(printed, /^3 accounts, 0 messages, 0 accounts failed$/m);
      const wrong = await command("import imap", { ...imap, password: "wrong", accounts: ["bob"] });
      assert.deepEqual(wrong, { failed: 1 });
      assert.match(printed, /bob: failed: the server refuses name and password/);
      // By a table of logins.
      const table = `address,user,password\nbob@${domain},bob@${domain},${passwordOf("bob")}\n`;
      assert.deepEqual(await command("import imap", { ...imap, master: "", table }), { failed: 0 });

      // The same from the files: all is there already, but for what has just come.
      await arrive("cas");
      await until(
        () => users.reduce((n, u) => n + arrived(u), 0) === sent,
        () => Promise.resolve("no mail"),
      );
      await command("import maildirs", { pattern: `${dir}/vmail/%d/%n/Maildir`, accounts: [] });
      assert.match(printed, /^cas: 1 messages, \d+ were there already$/m);
      assert.match(printed, /^ann: 0 messages, \d+ were there already$/m);
      // Hashes of all three have let in, and are our own now.
      for (const user of users) {
        const account = await server.accounts.open(user);
        assert.match(
          account.db.get("SELECT value FROM credentials WHERE kind = 'password'")![0],
          /^\$argon2id\$/,
        );
        account.close();
      }
    } finally {
      sender.close();
      await server.stop();
      await stopImap();
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    }
  },
});
