/** What the tests with SIGKILL share: raw connections, messages that tell whether they are whole, and a look after. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { loadLocalserve } from "../../src/config/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { accountRules } from "../../src/serve/rules.ts";
import type { Account } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { inconsistencies } from "../../src/store/account/consistency.ts";
import { Want } from "../../src/store/types.ts";
import { loggedIn } from "../support/imap_client.ts";
import type { Localserve } from "../support/localserve.ts";

/** Lines of a connection; `undefined` when it has ended. */
export function lines(socket: Socket): () => Promise<string | undefined> {
  const iterator = (async function* () {
    let rest = "";
    try {
      for await (const chunk of socket) {
        rest += (chunk as Uint8Array).toString();
        for (let end; (end = rest.indexOf("\r\n")) >= 0; rest = rest.slice(end + 2)) {
          yield rest.slice(0, end);
        }
      }
    } catch {
      // Reset: the server was killed.
    }
  })();
  return async () => (await iterator.next()).value ?? undefined;
}

/** A message that tells by itself whether it is whole. */
export function messageText(id: string, size: number): string {
  const body = `line of ${id} that is repeated\r\n`.repeat(size);
  return `From: <a@localhost>\r\nTo: <mox@localhost>\r\nSubject: ${id}\r\n` +
    `Message-ID: <${id}@localhost>\r\n\r\n${body}end of ${id}\r\n`;
}

/** All messages of a mailbox by subject. */
export async function messages(s: Localserve, mailbox = "INBOX"): Promise<Map<string, string>> {
  const c = await loggedIn(s);
  const found = new Map<string, string>();
  const selected = await c.mailboxOpen(mailbox);
  if (selected.exists > 0) {
    for await (const m of c.fetch("1:*", { source: true })) {
      const text = m.source!.toString();
      const id = /^Subject: (\S+)/m.exec(text)?.[1] ?? "";
      assert.ok(!found.has(id), `${id} is there twice`);
      found.set(id, text);
    }
  }
  await c.logout();
  return found;
}

/** How often each subject is in INBOX of an account. */
export async function subjects(
  s: Localserve,
  user = "mox@localhost",
): Promise<Map<string, number>> {
  const socket = connect(s.imap, "127.0.0.1");
  const next = lines(socket);
  socket.write(`t login ${user} moxmoxmox\r\nt select inbox\r\n`);
  socket.write("u fetch 1:* (body.peek[header.fields (subject)])\r\n");
  const found = new Map<string, number>();
  for (;;) {
    const line = await next();
    if (line === undefined || line.startsWith("u ")) break;
    const id = /^Subject: (\S+)/i.exec(line)?.[1];
    if (id) found.set(id, (found.get(id) ?? 0) + 1);
  }
  socket.destroy();
  return found;
}

/** Opens the account as the server does, which must not run. */
async function opened<T>(
  dir: string,
  offset: number,
  name: string,
  look: (a: Account) => T,
): Promise<T> {
  const { config } = await loadLocalserve({
    dir,
    portOffset: offset,
    adminPasswordHash: () => Promise.reject(new Error("exists already")),
  });
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (name) => accountRules(config, name),
  );
  const account = await accounts.open(name);
  try {
    return look(account);
  } finally {
    account.close();
    await accounts.closeAll();
  }
}

/** Opens the account as the server does, and checks it. */
export function check(dir: string, offset: number, name = "mox"): Promise<string[]> {
  return opened(dir, offset, name, (a) => inconsistencies(a.db, a.files));
}

/** How often each subject, or what `key` makes of a message, is in an account's Inbox; the account's consistency is checked too. */
export function storedSubjects(
  dir: string,
  offset: number,
  name: string,
  key = (text: string) => /^Subject: (\S+)/m.exec(text)?.[1] ?? "",
): Promise<Map<string, number>> {
  return opened(dir, offset, name, (a) => {
    assert.deepEqual(inconsistencies(a.db, a.files), []);
    const found = new Map<string, number>();
    const inbox = a.mailboxByName("Inbox")!.id;
    a.fetch(inbox, a.uids(inbox), Want.Content, (row) => {
      const reader = a.openRow(row);
      const text = new TextDecoder().decode(reader.read(0, reader.size));
      reader.close();
      const id = key(text);
      found.set(id, (found.get(id) ?? 0) + 1);
    });
    return found;
  });
}
