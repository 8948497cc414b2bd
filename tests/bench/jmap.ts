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

async function measure(
  what: string,
  work: (round: number) => Promise<unknown>,
  again = rounds,
): Promise<void> {
  const cpu: number[] = [];
  const elapsed: number[] = [];
  for (let i = 0; i <= again; i++) {
    const [before, begun] = [await mox.cpu(), performance.now()];
    await work(i);
    elapsed.push(performance.now() - begun);
    cpu.push(await mox.cpu() - before);
  }
  if (again === 0) return console.log(`| ${what} | ${f(cpu[0])} | | ${f(elapsed[0])} |`);
  const sorted = elapsed.slice(1).sort((a, b) => a - b);
  const least = Math.min(...cpu.slice(1).filter((t) => t >= 0));
  console.log(`| ${what} | ${f(cpu[0])} | ${f(least)} | ${f(sorted[sorted.length >> 1])} |`);
}

/** What another session waits for NOOP while something is done. */
async function withNoops(work: () => Promise<unknown>) {
  const other = await ImapLoad.connect(mox.imapPort, mox.user, mox.password);
  const times: number[] = [];
  let over = false;
  const done = work().finally(() => over = true);
  while (!over) {
    const begun = performance.now();
    await other.run("NOOP");
    times.push(performance.now() - begun);
  }
  await done;
  await other.close();
  times.sort((a, b) => a - b);
  return { waited: { median: times[times.length >> 1], most: times.at(-1)! } };
}

/** Milliseconds from the 250 of a delivery to its event, of three deliveries. */
async function pushes(): Promise<number[]> {
  const r = await fetch(
    `http://127.0.0.1:${1080 + offset}/jmap/eventsource?types=Email&closeafter=no&ping=0`,
    { headers: { authorization } },
  );
  if (!r.ok) throw new Error(`${r.status} ${await r.text()}`);
  const events = r.body!.pipeThrough(new TextDecoderStream()).getReader();
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    await deliver(mox.smtpPort, mox.recipient);
    const accepted = performance.now();
    for (let text = ""; !/"Email":[^}]*}.*\n\n/.test(text);) {
      const { value, done } = await events.read();
      if (done) throw new Error("the event stream has ended");
      text += value;
    }
    times.push(performance.now() - accepted);
    // What else the delivery changes comes before the next.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await events.cancel();
  return times;
}

/** One message by SMTP; resolves with the 250. */
async function deliver(port: number, to: string): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(4096);
  const answer = async () => {
    let text = "";
    while (!/(^|\n)\d{3} [^\n]*\n$/.test(text)) {
      const n = await conn.read(buffer);
      if (n === null) throw new Error("closed");
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    if (!/^[23]/.test(text)) throw new Error(text);
  };
  await answer();
  for (
    const line of [
      "EHLO client.remote.test",
      "MAIL FROM:<sender@remote.test>",
      `RCPT TO:<${to}>`,
      "DATA",
      `From: <sender@remote.test>\r\nSubject: pushed\r\nMessage-ID: <${crypto.randomUUID()}@remote.test>\r\n\r\nhello\r\n.`,
    ]
  ) {
    await conn.write(new TextEncoder().encode(`${line}\r\n`));
    await answer();
  }
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
  // What the issue sets bars for. Each query comes after a change, so that nothing found before answers it.
  const changed = (i: number) =>
    c.run(`STORE ${count - i} ${i % 2 === 0 ? "+" : "-"}FLAGS.SILENT (\\Flagged)`);
  for (const property of ["receivedAt", "subject", "from", "sentAt"]) {
    const call = query({}, { collapseThreads: true, sort: [{ property, isAscending: false }] });
    await measure(`JMAP: 50 threads by ${property}, nothing known yet`, () => jmap(call), 0);
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) {
      await changed(i);
      const begun = performance.now();
      await jmap(call);
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    console.log(
      `| the same after a change, elapsed: least; median; longest | ${f(times[0])} | ${
        f(times[times.length >> 1])
      } | ${f(times.at(-1)!)} |`,
    );
  }
  const page = Math.ceil(count / 20);
  const begun = performance.now();
  const { waited } = await withNoops(async () => {
    for (let at = 0, got = 0; got < count; at += page) {
      const [r] = await jmap(query({}, { position: at, limit: page })) as [{ ids: string[] }];
      if (r.ids.length === 0) break;
      got += r.ids.length;
    }
  });
  console.log(`| all ids in pages of ${page}: ms | ${f(performance.now() - begun)} | | |`);
  console.log(`| NOOP meanwhile: median; longest | ${f(waited.median)} | ${f(waited.most)} | |`);
  const sorted = await withNoops(() => jmap(query({}, { sort: [{ property: "to" }] })));
  console.log(
    `| NOOP while all are sorted by what wasn't read yet: median; longest | ${
      f(sorted.waited.median)
    } | ${f(sorted.waited.most)} | |`,
  );
  console.log(`| push after the 250 of SMTP: ms | ${(await pushes()).map(f).join(" | ")} |`);
  await c.close();
} finally {
  await mox.stop();
}
