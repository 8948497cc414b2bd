/**
 * Server time of the webmail's first view of a large mailbox: from the request of the event stream to the
 * first 100 threads, over HTTP on loopback, and of other things that people wait for.
 *
 * deno run -A tests/bench/webmail.ts [messages [messages of a thread]]
 */
import process from "node:process";
import { asEmailId } from "../../src/store/ids.ts";
import { describe } from "../../src/store/messages/describe.ts";
import { insertEmail, type ReadyEmail } from "../../src/store/messages/insert.ts";
import { mailboxByName } from "../../src/store/mailboxes/mailboxes.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { consistency } from "../../src/store/account/account.ts";
import { type Browser, message, query, withWebmail, type World } from "../web/webmail/server.ts";

const count = Number(Deno.args[0] ?? 100_000);
/** Messages of a thread. */
const threadLength = Number(Deno.args[1] ?? 10);

/** Rows of messages whose files are not there: a list opens none. */
async function fill(w: World): Promise<void> {
  const { account } = w;
  let emailId = 1_000_000;
  for (let i = 0; i < count;) {
    const emails: ReadyEmail[] = [];
    for (const end = Math.min(count, i + 1000); i < end; i++) {
      // Ten threads at a time, their messages in turns.
      const block = Math.floor(i / (threadLength * 10));
      const thread = block * 10 + i % 10;
      const n = Math.floor(i % (threadLength * 10) / 10);
      const text = message({
        from: `Person ${i % 500} <p${i % 500}@example.org>`,
        subject: n === 0 ? `subject of thread ${thread}` : `Re: subject of thread ${thread}`,
        id: `${thread}.${n}@x`,
        references: Array.from(
          { length: Math.min(n, 20) },
          (_, k) => `${thread}.${Math.max(0, n - 20) + k}@x`,
        ),
        body: `Hello, this is message ${i}.\n`.repeat(5),
      }).replaceAll("\n", "\r\n");
      const bytes = new TextEncoder().encode(text);
      emails.push({
        emailId: asEmailId(emailId++),
        prefix: new Uint8Array(0),
        size: bytes.length,
        description: await describe(parseMessage(bytes), (from, to) => bytes.subarray(from, to)),
        flags: i % 3 === 0 ? 0 : 1,
        keywords: i % 50 === 0 ? ["work"] : [],
        received: 1_600_000_000_000 + i * 60_000,
        facts: undefined,
        isReject: false,
        destinedMailboxId: 0,
        noThread: false,
        overQuota: false,
      });
    }
    await account.writer.write((ctx) => {
      const inbox = mailboxByName(account.db, "Inbox")!;
      for (const e of emails) insertEmail(account.db, ctx, inbox, account.rules, e);
    });
  }
}

async function measure(what: string, fn: () => Promise<void>): Promise<void> {
  const times: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const before = process.cpuUsage();
    await fn();
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  const list = (l: number[]) => l.map((t) => t.toFixed(1)).join(" ");
  console.log(`${what.padEnd(40)} ${list(times)} ms; CPU with the client's ${list(cpu)}`);
}

/** Threads of the first view, and bytes of the events that brought them. */
async function firstView(
  b: Browser,
  q: ReturnType<typeof query>,
  n = 100,
): Promise<{ threads: number; bytes: number }> {
  const e = await b.events(q, n);
  await e.expect("start");
  const before = e.received;
  const { threads } = await e.view();
  e.close();
  return { threads: threads.length, bytes: e.received - before };
}

consistency.checkAtClose = false;
await withWebmail(async (w) => {
  const start = performance.now();
  await fill(w);
  console.log(`${count} messages made in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const b = await w.login();
  const inbox = w.account.mailboxByName("Inbox")!.id;
  const view = async (name: string, q: ReturnType<typeof query>, n?: number) => {
    let found = { threads: 0, bytes: 0 };
    await measure(name, async () => {
      found = await firstView(b, q, n);
      if (found.threads === 0) throw new Error(`${name}: nothing found`);
    });
    console.log(`  ${found.threads} in ${(found.bytes / 1000).toFixed(0)} kB`);
  };
  await view("first view, 100 threads", query(inbox, { threading: "unread" }));
  await view("first view, 100 messages", query(inbox));
  await view("first view, oldest first", query(inbox, { order: "oldest", threading: "on" }));
  await view("all mailboxes, 100 threads", query(null, { threading: "on" }));
  await view("first view of 1000 messages", query(inbox), 1000);
  await view("unread, 100 messages", query(inbox, { filter: { notFlags: ["seen"] } }));
  await view(
    "keyword, 100 threads",
    query(inbox, { threading: "on", filter: { keywords: ["work"] } }),
  );
  await view("from a person, 100 messages", query(inbox, { filter: { from: ["p77@"] } }));
  await view(
    "subject, one found of all",
    query(inbox, { filter: { subject: [`thread ${Math.floor(count / threadLength / 2)}`] } }),
    1,
  );
  await measure("count of a filter over all", async () => {
    await b.call("QueryCount", { query: query(inbox, { filter: { from: ["p77@"] } }) });
  });
  await measure("address completion", async () => {
    await b.call("AddressComplete", { text: "person 4" });
  });
  await measure("mark all as read, and back", async () => {
    const target = { query: query(inbox) };
    const none = { target, addKeywords: [], removeKeywords: [] };
    await b.call("FlagsSet", { ...none, add: ["flagged"], remove: [] });
    await b.call("FlagsSet", { ...none, add: [], remove: ["flagged"] });
  });
  const memory = Deno.memoryUsage();
  console.log(`resident ${(memory.rss / 1e6).toFixed(0)} MB`);
});
