/**
 * A data folder with some data of every kind, created by `gentestdata`. Upgrades are tested on folders that
 * earlier versions created with this, so databases of mail and the queue only get data that all versions support.
 *
 * @module
 */
import { join } from "node:path";
import { Log } from "../log/mod.ts";
import { Queue } from "../queue/mod.ts";
import type { Account } from "../store/account/account.ts";
import type { AccountRules } from "../store/account/writer.ts";
import { Accounts } from "../store/account/accounts.ts";
import { Flag, SpecialUse } from "../store/types.ts";
import { fillBesideMail, makeOtherDatabases } from "./test_data_others.ts";

/** Password of all accounts. */
export const testPassword = "testtest1234";

const staticConfig = `DataDir: ../data
LogLevel: info
Hostname: mail.mox.example
Listeners:
	local:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: 30025
			NoSTARTTLS: true
		IMAP:
			Enabled: true
			Port: 30143
			NoRequireSTARTTLS: true
Postmaster:
	Account: test1
	Mailbox: Postmaster
`;
const dynamicConfig = `Domains:
	mox.example: nil
Accounts:
	test0:
		Domain: mox.example
		Destinations:
			test0@mox.example: nil
	test1:
		Domain: mox.example
		RejectsMailbox: Rejects
		Destinations:
			test1@mox.example: nil
			other@mox.example:
				Mailbox: Other
	test2:
		Domain: mox.example
		Destinations:
			test2@mox.example: nil
`;

const rules: AccountRules = {
  initialMailboxes: () => [
    { name: "Sent", specialUse: SpecialUse.Sent },
    { name: "Archive", specialUse: SpecialUse.Archive },
    { name: "Trash", specialUse: SpecialUse.Trash },
    { name: "Drafts", specialUse: SpecialUse.Drafts },
    { name: "Junk", specialUse: SpecialUse.Junk },
  ],
  junkFlags: () => undefined,
  quotaMessageSize: () => undefined,
};

const plain = (n: number, more = "") =>
  `From: Ann <ann@example.org>\r\nTo: <test1@mox.example>\r\nSubject: message ${n}\r\n` +
  `Date: Mon, 23 Nov 2026 10:0${
    n % 10
  }:00 +0000\r\nMessage-ID: <m${n}@example.org>\r\n${more}\r\n` +
  `This is message ${n}.\r\n`;

/** Messages of many forms, by what is special about them. */
export const shapes: Record<string, string> = {
  plain: plain(1),
  answer: plain(2, "In-Reply-To: <m1@example.org>\r\nReferences: <m1@example.org>\r\n"),
  "answer to nothing": plain(3, "References: <gone@example.org>\r\n"),
  utf8: plain(4, "Content-Type: text/plain; charset=utf-8\r\n") +
    "gr\u00fc\u00dfe, \u4f60\u597d\r\n",
  "encoded words": plain(5).replace("message 5", "=?utf-8?q?gr=C3=BC=C3=9Fe?="),
  multipart: plain(6, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n") +
    "--b\r\nContent-Type: text/html\r\n\r\n<p>hello</p>\r\n--b\r\n" +
    'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n' +
    "Content-Disposition: attachment\r\n\r\nJVBERi0=\r\n--b--\r\n",
  nested: plain(7, "Content-Type: message/rfc822\r\n") + plain(8),
  "no header": "\r\njust a body\r\n",
  "no body": "Subject: nothing else\r\n\r\n",
  "bare line feeds": plain(9).replaceAll("\r\n", "\n"),
  large: plain(10) +
    "a line of seventy characters or so, again and again and again\r\n".repeat(3000),
};

/** Fills an account. */
async function fill(account: Account, dir: string): Promise<void> {
  let n = 0;
  const message = async (text: string, prefix = "") => {
    const file = join(dir, `message${n++}`);
    const bytes = new TextEncoder().encode(text);
    await Deno.writeFile(file, bytes);
    return { file, fileSize: bytes.length, prefix: new TextEncoder().encode(prefix) };
  };
  const received = Date.UTC(2026, 10, 23, 10);
  for (const [name, text] of Object.entries(shapes)) {
    await account.deliver("Inbox", {
      ...await message(text, "Received: from x (x [192.0.2.1])\r\n\tby mail.mox.example\r\n"),
      received,
      flags: name === "answer" ? Flag.Seen | Flag.Answered : 0,
      keywords: name === "utf8" ? ["custom", "work"] : [],
    });
  }
  const inbox = account.mailboxByName("Inbox")!;
  const archive = account.mailboxByName("Archive")!;
  const junk = account.mailboxByName("Junk")!;
  await account.createMailbox("Lists/deno/empty");
  await account.copy(inbox.id, [1, 2, 4], archive.id);
  await account.move(inbox.id, [3], junk.id);
  await account.storeFlags(junk.id, [1], "add", Flag.Junk, []);
  await account.storeFlags(inbox.id, [6], "add", Flag.Deleted, []);
  await account.expunge(inbox.id);
  await account.deliver("Sent", await message(plain(20).replace("Ann <ann", "Test <test1")));
}

/** Creates `config` and `data` in a new folder. @throws Deno.errors.AlreadyExists if it exists */
export async function makeTestData(dir: string): Promise<void> {
  await Deno.mkdir(dir);
  await Deno.mkdir(join(dir, "config"));
  await Deno.mkdir(join(dir, "data"), { mode: 0o700 });
  await Deno.writeTextFile(join(dir, "config", "mox.conf"), staticConfig);
  await Deno.writeTextFile(join(dir, "config", "domains.conf"), dynamicConfig);
  const temporary = await Deno.makeTempDir({ dir });
  const accounts = new Accounts(join(dir, "data", "accounts"), new Log("store"), () => rules);
  try {
    for (const name of ["test0", "test1", "test2"]) {
      const account = await accounts.open(name);
      try {
        await account.credentials.setPassword(testPassword);
        if (name !== "test0") {
          await fill(account, await Deno.makeTempDir({ dir: temporary }));
          await fillBesideMail(account);
        }
      } finally {
        account.close();
      }
    }
  } finally {
    await accounts.closeAll();
  }
  const queue = await Queue.open(join(dir, "data"), {
    log: new Log("queue"),
    deliverer: { deliver: () => Promise.reject(new Error("the queue is not started")) },
    onDsn: () => Promise.resolve(),
  });
  try {
    for (
      const [i, recipients] of [["a@remote.example"], ["b@remote.example", "c@other.example"]]
        .entries()
    ) {
      const file = join(temporary, `queued${i}`);
      const bytes = new TextEncoder().encode(plain(30 + i));
      await Deno.writeFile(file, bytes);
      await queue.add({
        senderAccount: "test1",
        mailFrom: "test1@mox.example",
        recipients: recipients.map((address) => ({ address })),
        file,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: false,
        requireTls: i === 1,
        messageId: `<m${30 + i}@example.org>`,
        subject: `message ${30 + i}`,
      });
    }
  } finally {
    await queue.stop();
  }
  await makeOtherDatabases(join(dir, "data"));
  await Deno.remove(temporary, { recursive: true });
}
