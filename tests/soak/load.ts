/**
 * What the soak does to the server, each as a function that does it once. What was acknowledged is noted
 * with the account that it is in, and what is expunged is crossed out.
 *
 * @module
 */
import { join } from "node:path";
import { type FetchMessageObject, ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { Browser, composition, query } from "../web/webmail/server.ts";
import { type AccountName, accounts, password, ports, run } from "./server.ts";

/** Messages of an inbox that stay; older ones are moved, copied and expunged. */
const kept = 1500;

export const counts = {
  received: 0,
  submitted: 0,
  imap: 0,
  expunged: 0,
  web: 0,
  api: 0,
  transfers: 0,
  backups: 0,
  told: 0,
};

/** Ids of messages that must be there, by account. */
export const acknowledged = new Map<AccountName, Set<string>>(
  accounts.map((a) => [a, new Set<string>()]),
);

const words = Array.from({ length: 2000 }, (_, i) => `word${(i * 7919) % 10007}`);
export const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)];
const text = () => Array.from({ length: 50 + Math.random() * 400 }, () => pick(words)).join(" ");
let ids = 0;
/** The id of one of our messages, from its Message-ID or subject. */
export const idIn = (s: string | undefined): string | undefined =>
  /\b(soak-\d+)\b/.exec(s ?? "")?.[1];

function smtp(port: number, login?: AccountName) {
  return nodemailer.createTransport({
    host: "127.0.0.1",
    port,
    pool: true,
    maxConnections: 4,
    tls: { rejectUnauthorized: false },
    auth: login === undefined ? undefined : { user: `${login}@localhost`, pass: password },
  });
}
const incoming = smtp(ports.smtp);
const outgoing = smtp(ports.submission, "bob");

/** Mail from outside, now and then with an attachment or for two. */
export async function receive(): Promise<void> {
  const n = ids++;
  const id = `soak-${n}`;
  const to = n % 15 === 0 ? accounts.slice(0, 2) : [pick(accounts)];
  await incoming.sendMail({
    from: `p${n % 50}@remote.test`,
    to: to.map((a) => `${a}@localhost`),
    subject: `${id} ${pick(words)}`,
    messageId: `<${id}@remote.test>`,
    inReplyTo: n > 10 && n % 3 === 0 ? `<soak-${n - 7}@remote.test>` : undefined,
    text: text(),
    attachments: n % 20 === 0
      ? [{ filename: "a.bin", content: crypto.getRandomValues(new Uint8Array(60_000)) as Buffer }]
      : [],
  });
  for (const a of to) acknowledged.get(a)!.add(id);
  counts.received++;
}

/** Mail through the queue, which localserve delivers to itself. */
export async function submit(): Promise<void> {
  const id = `soak-${ids++}`;
  await outgoing.sendMail({
    from: "bob@localhost",
    to: "friend@elsewhere.test",
    subject: `${id} out`,
    messageId: `<${id}@localhost>`,
    text: text(),
  });
  acknowledged.get("mox")!.add(id);
  counts.submitted++;
}

function client(account: AccountName): ImapFlow {
  const c = new ImapFlow({
    host: "127.0.0.1",
    port: ports.imap,
    secure: false,
    tls: { rejectUnauthorized: false },
    auth: { user: `${account}@localhost`, pass: password },
    logger: false,
  });
  c.on("error", () => {});
  return c;
}

async function withMailbox(
  account: AccountName,
  mailbox: string,
  fn: (c: ImapFlow, total: number) => Promise<void>,
): Promise<void> {
  const c = client(account);
  await c.connect();
  try {
    const box = await c.mailboxOpen(mailbox);
    await fn(c, box.exists);
  } finally {
    await c.logout();
  }
}

/** A session that looks at what is new, searches, and marks. */
export async function read(): Promise<void> {
  await withMailbox(pick(accounts), "INBOX", async (c, total) => {
    if (total === 0) return;
    const list = await c.fetchAll(`${Math.max(1, total - 50)}:*`, {
      uid: true,
      flags: true,
      envelope: true,
      bodyStructure: true,
    });
    if (list.length === 0) return;
    await c.messageFlagsAdd({ uid: String(pick(list).uid) }, ["\\Seen"], { uid: true });
    await c.search({ body: pick(words) }, { uid: true });
    await c.search({ or: [{ subject: pick(words) }, { seen: false }] }, { uid: true });
    await c.fetchOne(String(pick(list).uid), { source: true }, { uid: true });
  });
  counts.imap++;
}

/**
 * The first messages of the mailbox. The client's answer to a FETCH has changes of flags in it that were told
 * meanwhile, of whatever messages: those have no envelope, and are none of these.
 */
async function oldest(c: ImapFlow, count: number): Promise<FetchMessageObject[]> {
  const list = await c.fetchAll(`1:${count}`, { uid: true, envelope: true });
  return list.filter((m) => m.envelope !== undefined && m.seq <= count);
}

/**
 * Takes the oldest messages out of an inbox: some are moved to Archive, some copied there first and then
 * expunged, some expunged. Archive itself is emptied from its start.
 */
export async function change(): Promise<void> {
  const account = pick(accounts);
  const noted = acknowledged.get(account)!;
  const forget = (list: string[]) => {
    for (const id of list) noted.delete(id);
    counts.expunged += list.length;
  };
  await withMailbox(account, "INBOX", async (c, total) => {
    const surplus = total - kept;
    if (surplus < 3) return;
    const list = await oldest(c, surplus);
    const part = (k: number) => list.filter((_, i) => i % 3 === k);
    const uids = (k: number) => part(k).map((m) => m.uid).join(",");
    await c.messageMove(uids(0), "Archive", { uid: true });
    if (!await c.messageCopy(uids(1), "Archive", { uid: true })) throw new Error("COPY failed");
    await c.messageDelete(uids(1), { uid: true });
    await c.messageDelete(uids(2), { uid: true });
    forget(part(2).map((m) => idIn(m.envelope?.subject) ?? ""));
  });
  for (const mailbox of ["Archive", "Sent"]) {
    await withMailbox(account, mailbox, async (c, total) => {
      const surplus = total - kept / 3;
      if (surplus < 1) return;
      const list = await oldest(c, surplus);
      await c.messageDelete(list.map((m) => m.uid).join(","), { uid: true });
      forget(list.map((m) => idIn(m.envelope?.subject) ?? ""));
    });
  }
  counts.imap++;
}

let boxes = 0;
/** Makes a mailbox, fills it, gives it another name, and removes it with what is in it. */
export async function mailboxes(): Promise<void> {
  const c = client("carol");
  await c.connect();
  try {
    const name = `Box${boxes++}`;
    await c.mailboxCreate(name);
    for (let i = 0; i < 5; i++) {
      const m = `From: <a@remote.test>\r\nSubject: in a box\r\n\r\n${text()}\r\n`;
      await c.append(name, m, ["\\Seen", `kw${i}`]);
    }
    await c.mailboxOpen(name);
    await c.search({ keyword: "kw3" });
    await c.mailboxClose();
    await c.mailboxRename(name, `${name}-renamed`);
    await c.mailboxDelete(`${name}-renamed`);
  } finally {
    await c.logout();
  }
  counts.imap++;
}

/** A session that stays in IDLE for all of the time, and is told of what comes. */
export async function watchInbox(): Promise<() => Promise<void>> {
  const c = client("mox");
  await c.connect();
  await c.mailboxOpen("INBOX");
  c.on("exists", () => counts.told++);
  return () => c.logout();
}

/** A page of the webmail: login, list, search, a message, flags, a message sent, logout. */
export async function web(): Promise<void> {
  const b = new Browser(`http://localhost:${ports.http}/webmail/`);
  await (await b.get("")).body?.cancel();
  // Not the one that is written to: a copy in Sent would pass for the message.
  const account = pick(accounts.slice(1));
  await b.call("Login", { username: `${account}@localhost`, password });
  try {
    const e = await b.events(query(null, { threading: "on" }), 50);
    const some = [];
    for (let done = false; !done;) {
      const event = await e.next();
      if (event === undefined) throw new Error("the event stream ended");
      // Changes come in between.
      if (event.kind !== "view") continue;
      some.push(...event.threads.flat());
      done = event.done;
    }
    if (some.length > 0) {
      const { id } = pick(some);
      // It may have been expunged since.
      await b.call("MessageGet", { id }).catch(unlessMissing);
      await b.call("FlagsSet", {
        target: { ids: [id] },
        add: ["flagged"],
        remove: [],
        addKeywords: ["soak"],
        removeKeywords: [],
      }).catch(unlessMissing);
    }
    await b.call("QueryCount", { query: query(null, { filter: { words: [pick(words)] } }) });
    const id = `soak-${ids++}`;
    await b.call("Send", {
      draftId: null,
      sendAt: null,
      requireTls: null,
      archiveThread: false,
      composition: composition({
        from: { name: "", address: `${account}@localhost` },
        to: ["mox@localhost"],
        subject: `${id} from the webmail`,
        text: text(),
      }),
    });
    acknowledged.get("mox")!.add(id);
  } finally {
    await b.call("Logout", {});
    b.close();
  }
  counts.web++;
}

function unlessMissing(err: unknown): undefined {
  if (/gone|missing|no longer|not there|not exist/i.test((err as Error).message)) return undefined;
  throw err;
}

/** A program that sends by the web API. */
export async function api(): Promise<void> {
  const id = `soak-${ids++}`;
  const r = await fetch(`http://localhost:${ports.http}/webapi/v0/Send`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Basic ${btoa(`bob@localhost:${password}`)}`,
    },
    body: JSON.stringify({
      To: [{ Address: "mox@localhost" }],
      Subject: `${id} from a program`,
      Text: text(),
    }),
  });
  const answer = await r.text();
  if (r.status !== 200) throw new Error(`webapi answered ${r.status}: ${answer}`);
  acknowledged.get("mox")!.add(id);
  counts.api++;
}

/** Exports a mailbox, imports it under another name, and removes that. */
export async function transfer(dir: string, server: string): Promise<void> {
  const kind = pick(["mbox", "maildir"] as const);
  const to = join(dir, "exported");
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await run(["export", kind, "-dir", server, "carol", to, "Archive"]);
  const source = await exportedMailbox(to, kind);
  if (source !== undefined) {
    await run(["import", kind, "-dir", server, "carol", "Imported", source]);
    const c = client("carol");
    await c.connect();
    await c.mailboxDelete("Imported");
    await c.logout();
  }
  counts.transfers++;
}

async function exportedMailbox(dir: string, kind: string): Promise<string | undefined> {
  for await (const e of Deno.readDir(dir)) {
    if (kind === "mbox" ? e.isFile : e.isDirectory) return join(dir, e.name);
  }
}

/** A whole copy, then one that takes the files of the one before. */
export async function backup(dir: string, server: string): Promise<void> {
  const to = join(dir, `backup-${counts.backups % 2}`);
  const before = join(dir, `backup-${(counts.backups + 1) % 2}`);
  await Deno.remove(to, { recursive: true }).catch(() => {});
  const base = counts.backups > 0 ? ["-base", before] : [];
  await run(["backup", "-dir", server, ...base, to]);
  counts.backups++;
}

/** Ids of our messages in all mailboxes of an account. */
export async function found(account: AccountName): Promise<Set<string>> {
  const there = new Set<string>();
  const c = client(account);
  await c.connect();
  try {
    for (const m of await c.list()) {
      const box = await c.mailboxOpen(m.path);
      if (box.exists === 0) continue;
      for await (const message of c.fetch("1:*", { envelope: true })) {
        const id = idIn(message.envelope?.subject) ?? idIn(message.envelope?.messageId);
        if (id !== undefined) there.add(id);
      }
    }
  } finally {
    await c.logout();
  }
  return there;
}

/** Ends what is open from load to load. */
export function closeAll(): void {
  incoming.close();
  outgoing.close();
}
