/**
 * JMAP beside IMAP of the same server: CPU time of all its threads and time elapsed, for what mail programs ask
 * of a mailbox. The first time, the least CPU and the median time of the rounds after it.
 *
 * usage: deno run -A tests/bench/jmap.ts [messages [rounds [offset of ports]]]
 *
 * @module
 */
import { fill } from "./corpus.ts";
import { ImapLoad } from "./imap.ts";
import { startMox } from "./peers/mox.ts";

const count = Number(Deno.args[0] ?? 10_000);
const rounds = Number(Deno.args[1] ?? 9);
const offset = Number(Deno.args[2] ?? 21_000);

type Call = [name: string, args: Record<string, unknown>];

const mox = await startMox(offset);
const authorization = `Basic ${btoa(`${mox.user}:${mox.password}`)}`;

/** Method calls in one request. @throws Error with the first that failed */
async function jmap(...calls: Call[]): Promise<Record<string, unknown>[]> {
  const r = await fetch(`http://127.0.0.1:${1080 + offset}/jmap/api`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"],
      methodCalls: calls.map(([name, args], i) => [name, { accountId: "mox", ...args }, `${i}`]),
    }),
  });
  if (!r.ok) throw new Error(`${r.status} ${await r.text()}`);
  const { methodResponses } = await r.json();
  for (const [kind, result] of methodResponses) {
    if (kind === "error") throw new Error(JSON.stringify(result));
  }
  return methodResponses.map((m: unknown[]) => m[1]);
}

const f = (n: number) => n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0);

async function measure(what: string, work: (round: number) => Promise<unknown>): Promise<void> {
  const cpu: number[] = [];
  const elapsed: number[] = [];
  for (let i = 0; i <= rounds; i++) {
    const [before, begun] = [await mox.cpu(), performance.now()];
    await work(i);
    elapsed.push(performance.now() - begun);
    cpu.push(await mox.cpu() - before);
  }
  const sorted = elapsed.slice(1).sort((a, b) => a - b);
  const least = Math.min(...cpu.slice(1).filter((t) => t >= 0));
  console.log(`| ${what} | ${f(cpu[0])} | ${f(least)} | ${f(sorted[sorted.length >> 1])} |`);
}

try {
  await fill(mox, count);
  for (let before = -1; before < 0 || await mox.cpu() - before > 50;) {
    before = await mox.cpu();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const c = await ImapLoad.connect(mox.imapPort, mox.user, mox.password);
  await c.run("SELECT INBOX");
  const [{ list }] = await jmap(["Mailbox/get", { ids: null }]) as [
    { list: { id: string; role: string | null }[] },
  ];
  const inbox = list.find((m) => m.role === "inbox")!.id;
  const newest = [{ property: "receivedAt", isAscending: false }];
  const query = (filter: Record<string, unknown>, more: Record<string, unknown> = {}): Call => [
    "Email/query",
    { filter: { inMailbox: inbox, ...filter }, sort: newest, limit: 50, ...more },
  ];
  const properties = [
    ...["threadId", "mailboxIds", "keywords", "from", "subject", "receivedAt", "size", "preview"],
  ];
  const got: Call = [
    "Email/get",
    { "#ids": { resultOf: "0", name: "Email/query", path: "/ids" }, properties },
  ];
  console.log(`${count} messages; CPU in ms the first time, the least again; elapsed, median`);
  console.log("| what | first | again | elapsed |\n|---|---|---|---|");
  await measure("JMAP: all mailboxes", () => jmap(["Mailbox/get", { ids: null }]));
  await measure(
    "IMAP: `LIST` with counts",
    () => c.run('LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))'),
  );
  await measure("JMAP: the newest 50 with what a list shows", () => jmap(query({}), got));
  await measure(
    "IMAP: FETCH of the same",
    () => c.run(`FETCH ${count - 49}:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE PREVIEW)`),
  );
  await measure(
    "JMAP: the newest 50 threads",
    () => jmap(query({}, { collapseThreads: true }), got),
  );
  await measure("JMAP: 50 of subject `ba`", () => jmap(query({ subject: "ba" })));
  await measure("JMAP: from nobody", () => jmap(query({ from: "nobody@nowhere" })));
  await measure(
    "JMAP: unread, counted",
    () => jmap(query({ notKeyword: "$seen" }, { calculateTotal: true })),
  );
  await measure("JMAP: text of no message", () => jmap(query({ text: "zzyzx" })));
  await measure(
    "JMAP: text of 1 %, all ids",
    () => jmap(query({ text: "hundredth" }, { limit: 500 })),
  );
  await measure("IMAP: `SEARCH TEXT` of 1 %", () => c.run("SEARCH TEXT hundredth"));
  await measure(
    "JMAP: sorted by subject, first 50",
    () => jmap(query({}, { sort: [{ property: "subject" }] })),
  );
  const [{ ids, queryState }] = await jmap(query({})) as [{ ids: string[]; queryState: string }];
  const [{ state }] = await jmap(["Email/get", { ids: [] }]) as [{ state: string }];
  await measure(
    "JMAP: a flag of one email set (durable)",
    (i) =>
      jmap(["Email/set", {
        update: { [ids[0]]: { "keywords/$flagged": i % 2 === 0 ? true : null } },
      }]),
  );
  await measure("JMAP: changes since then", () => jmap(["Email/changes", { sinceState: state }]));
  await measure("JMAP: changes of the query since then", () =>
    jmap(["Email/queryChanges", {
      filter: { inMailbox: inbox },
      sort: newest,
      sinceQueryState: queryState,
    }]));
  await measure("JMAP: a flag of 50 emails set (durable)", (i) =>
    jmap(["Email/set", {
      update: Object.fromEntries(
        ids.map((id) => [id, { "keywords/$flagged": i % 2 === 0 ? true : null }]),
      ),
    }]));
  await c.close();
} finally {
  await mox.stop();
}
