/** The queue of the Go original, from a database that is written here, field by field. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { surveyQueue, takeQueue } from "../../src/queue/original.ts";
import { queueMigrations } from "../../src/queue/schema.ts";
import { hookMigrations } from "../../src/queue/webhooks/rows.ts";
import { type BoltError, isBoltFile } from "../../src/store/bolt/bolt.ts";
import { Db } from "../../src/store/database/database.ts";
import { originalPath } from "../../src/store/import/original/messages.ts";
import { MessageFiles } from "../../src/store/files/message_files.ts";
import { type Field, type TypeData, writeBolt } from "../moving/bolt_writer.ts";

const time = (n: number) => Date.UTC(2026, 0, 1, 0, 0, n);

type Kinds = Record<string, Field["Type"]>;
const text: Field["Type"] = { Kind: "string" };
const number: Field["Type"] = { Kind: "int64" };
const flag: Field["Type"] = { Kind: "bool" };
const when: Field["Type"] = { Kind: "time" };
const listOf = (kinds: Kinds): Field["Type"] => ({
  Kind: "slice",
  List: { Kind: "struct", Fields: fieldsOf(kinds) },
});

function fieldsOf(kinds: Kinds): Field[] {
  return Object.entries(kinds).map(([Name, Type]) => ({ Name, Type }));
}

/** A type with its records, by the names of its fields; the first is the key. */
function typeOf(name: string, kinds: Kinds, records: Record<string, unknown>[]): TypeData {
  const names = Object.keys(kinds);
  for (const r of records) for (const n of Object.keys(r)) assert.ok(names.includes(n), n);
  return {
    name,
    fields: fieldsOf(kinds),
    records: records.map((r) => ({ values: names.map((n) => r[n]) })),
  };
}

const results = listOf({ Start: when, Success: flag, Code: number, Secode: text, Error: text });
const people: Kinds = {
  SenderAccount: text,
  SenderLocalpart: text,
  SenderDomainStr: text,
  RecipientLocalpart: text,
  RecipientDomainStr: text,
};
const message: Kinds = {
  ID: number,
  ...people,
  MsgPrefix: { Kind: "bytes" },
  SMTPUTF8: flag,
  Has8bit: flag,
  RequireTLS: { Kind: "bool", Ptr: true },
  MessageID: text,
  Subject: text,
  IsDMARCReport: flag,
  IsTLSReport: flag,
  Queued: when,
  Attempts: number,
  NextAttempt: when,
  Hold: flag,
  Results: results,
  Transport: text,
  FromID: text,
};
const retired: Kinds = {
  ID: number,
  BaseID: number,
  ...people,
  RecipientAddress: text,
  MessageID: text,
  Subject: text,
  FromID: text,
  Size: number,
  Queued: when,
  LastActivity: when,
  KeepUntil: when,
  Success: flag,
  Attempts: number,
  Results: results,
};
const hook: Kinds = {
  ID: number,
  Account: text,
  URL: text,
  Authorization: text,
  IsIncoming: flag,
  OutgoingEvent: text,
  QueueMsgID: number,
  FromID: text,
  MessageID: text,
  Subject: text,
  Payload: text,
  Submitted: when,
  Attempts: number,
  NextAttempt: when,
  Results: listOf({
    Start: when,
    Duration: number,
    Success: flag,
    Code: number,
    Error: text,
    Response: text,
  }),
};
const retiredHook: Kinds = {
  ...hook,
  Success: flag,
  SupersededByID: number,
  LastActivity: when,
  KeepUntil: when,
};
const suppression: Kinds = {
  ID: number,
  Account: text,
  BaseAddress: text,
  OriginalAddress: text,
  Manual: flag,
  Reason: text,
  Created: when,
};
const holdRule: Kinds = {
  ID: number,
  Account: text,
  SenderDomainStr: text,
  RecipientDomainStr: text,
};

const joe = { SenderAccount: "ann", SenderLocalpart: "ann", SenderDomainStr: "here.example" };
const to = (localpart: string) => ({
  RecipientLocalpart: localpart,
  RecipientDomainStr: "there.example",
});

interface Taken {
  from: string;
  to: string;
  queue: Db;
  hooks: Db;
  warnings: string[];
  counts: Awaited<ReturnType<typeof takeQueue>>;
}

/** Writes the original's queue with files for some ids, and takes it over. */
async function take(
  types: TypeData[],
  files: Record<number, string>,
  fn: (t: Taken) => void | Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-queue-" });
  const [from, to] = [join(dir, "old"), join(dir, "new")];
  try {
    await Deno.mkdir(join(from, "queue"), { recursive: true });
    writeBolt(join(from, "queue", "index.db"), types);
    for (const [id, content] of Object.entries(files)) {
      const path = originalPath(join(from, "queue"), Number(id));
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, content);
    }
    const warnings: string[] = [];
    const written = [{ account: "ann", address: "x@y.example", first: 5 }];
    const counts = await takeQueue(from, to, written, (w) => warnings.push(w));
    const queue = await Db.open(join(to, "queue", "index.db"), queueMigrations);
    const hooks = await Db.open(join(to, "webhooks", "hooks.db"), hookMigrations);
    try {
      await fn({ from, to, queue, hooks, warnings, counts });
    } finally {
      await queue.close();
      await hooks.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const attempt = { Start: time(1), Success: false, Code: 451, Secode: "3.0", Error: "later" };

Deno.test("a message with its recipient, its attempts and its file", () =>
  take(
    [typeOf("Msg", message, [{
      ID: 7,
      ...joe,
      ...to("bob smith"),
      MsgPrefix: new TextEncoder().encode("Received: x\r\n"),
      SMTPUTF8: true,
      Has8bit: true,
      RequireTLS: true,
      MessageID: "<m@here.example>",
      Subject: "hello",
      Queued: time(0),
      Attempts: 2,
      NextAttempt: time(9),
      Hold: true,
      Results: [
        attempt,
        { Start: time(2), Success: false, Code: 550, Secode: "1.1", Error: "gone" },
        { Start: time(3), Success: true, Code: 250, Secode: "0.0" },
        { Start: time(4), Success: false, Code: 500 },
        { Start: time(5), Success: false, Code: 499 },
      ],
      Transport: "relay",
      FromID: "f1",
    }])],
    { 7: "Subject: hello\r\n\r\nx\r\n" },
    ({ queue, to, warnings, counts }) => {
      assert.deepEqual(
        queue.all(
          "SELECT id, account, mail_from, file_size, CAST(prefix AS TEXT), smtputf8, has8bit, require_tls, ret, " +
            "envelope_id, message_id, subject, is_dsn, queued, tls_optional, binary_mime, extra FROM messages",
        ),
        [[
          7,
          "ann",
          "ann@here.example",
          21,
          "Received: x\r\n",
          1,
          1,
          1,
          "",
          null,
          "<m@here.example>",
          "hello",
          0,
          time(0),
          0,
          0,
          "{}",
        ]],
      );
      const [row] = queue.all(
        "SELECT id, message_id, address, domain, attempts, next_attempt, hold, transport, from_id, results " +
          "FROM recipients",
      );
      assert.deepEqual(row.slice(0, 9), [
        7,
        7,
        '"bob smith"@there.example',
        "there.example",
        2,
        time(9),
        1,
        "relay",
        "f1",
      ]);
      assert.deepEqual(JSON.parse(row[9] as string), [
        { time: time(1), kind: "temporary", code: 451, enhanced: "4.3.0", text: "later" },
        { time: time(2), kind: "permanent", code: 550, enhanced: "5.1.1", text: "gone" },
        { time: time(3), kind: "delivered", code: 250, enhanced: "2.0.0", text: "" },
        { time: time(4), kind: "permanent", code: 500, enhanced: "", text: "" },
        { time: time(5), kind: "temporary", code: 499, enhanced: "", text: "" },
      ]);
      const file = new MessageFiles(join(to, "queue", "msg")).path(7);
      assert.equal(Deno.readTextFileSync(file), "Subject: hello\r\n\r\nx\r\n");
      assert.deepEqual(queue.all("SELECT * FROM written_to"), [["ann", "x@y.example", 5]]);
      assert.deepEqual(warnings, []);
      assert.equal(counts.messages, 1);
      // New ones get numbers of their own.
      assert.deepEqual(queue.all("SELECT name, seq FROM sqlite_sequence ORDER BY name"), [
        ["messages", 7],
        ["recipients", 7],
      ]);
    },
  ));

Deno.test("what is due, what says no TLS, and reports that no DSN answers", () =>
  take(
    [typeOf("Msg", message, [
      { ID: 1, ...joe, ...to("a"), RequireTLS: false, NextAttempt: time(3) },
      { ID: 2, SenderAccount: "ann", ...to("b"), NextAttempt: time(2) },
      { ID: 3, ...joe, ...to("c"), IsDMARCReport: true, NextAttempt: time(4) },
      { ID: 4, ...joe, ...to("d"), IsTLSReport: true, NextAttempt: time(5) },
    ])],
    { 1: "a", 2: "b", 3: "c", 4: "d" },
    ({ queue }) => {
      assert.deepEqual(
        queue.all(
          "SELECT id, require_tls, tls_optional, is_dsn, mail_from FROM messages ORDER BY id",
        ),
        [
          [1, 0, 1, 0, "ann@here.example"],
          [2, 0, 0, 1, ""],
          [3, 0, 0, 1, "ann@here.example"],
          [4, 0, 0, 1, "ann@here.example"],
        ],
      );
      assert.deepEqual(queue.all("SELECT hold, transport, from_id FROM recipients")[0], [
        0,
        null,
        "",
      ]);
      // The earliest of the destination.
      assert.deepEqual(queue.all("SELECT domain, priority, due FROM destinations"), [
        ["there.example", 0, time(2)],
      ]);
    },
  ));

Deno.test("a message whose file is missing is left out with a warning; one in another folder is found", () =>
  take(
    [typeOf("Msg", message, [
      { ID: 1, ...joe, ...to("a") },
      { ID: 2, ...joe, ...to("b") },
    ])],
    { [8192 * 3]: "elsewhere" },
    async ({ from, queue, warnings, counts }) => {
      assert.deepEqual(warnings, [
        "the message to a@there.example in the queue is left out: its file is missing",
        "the message to b@there.example in the queue is left out: its file is missing",
      ]);
      assert.equal(counts.messages, 0);
      assert.equal(queue.all("SELECT * FROM recipients").length, 0);
      const odd = join(from, "queue", "zz");
      await Deno.mkdir(odd);
      await Deno.writeTextFile(join(odd, "2"), "found");
      const again = join(from, "..", "again");
      const found = await takeQueue(from, again, [], () => {});
      assert.equal(found.messages, 1);
    },
  ));

Deno.test("a file that can't be read is an error, not a message less", async () => {
  if (Deno.build.os === "windows") return;
  await assert.rejects(
    take([typeOf("Msg", message, [{ ID: 1, ...joe, ...to("a") }])], {}, async ({ from, to }) => {
      const place = originalPath(join(from, "queue"), 1);
      await Deno.mkdir(join(place, ".."), { recursive: true });
      await Deno.symlink(place, place); // It leads to itself.
      await takeQueue(from, join(to, "again"), [], () => {});
    }),
    (err: Error) => !(err instanceof Deno.errors.NotFound),
  );
});

Deno.test("what left the queue: delivered, failed or canceled", () =>
  take(
    [typeOf("MsgRetired", retired, [
      {
        ID: 1,
        BaseID: 9,
        ...joe,
        ...to("ignored"),
        RecipientAddress: "Bob+x@there.example",
        MessageID: "m1",
        Subject: "s",
        FromID: "f",
        Size: 12,
        Queued: time(1),
        LastActivity: time(2),
        KeepUntil: time(3),
        Success: true,
        Attempts: 4,
        Results: [attempt],
      },
      { ID: 2, ...joe, ...to("c"), Results: [attempt] },
      { ID: 3, ...joe, ...to("d") },
    ])],
    {},
    ({ queue, counts }) => {
      const rows = queue.all(
        "SELECT id, message_id, account, mail_from, address, base_address, message_key, subject, from_id, " +
          "size, queued, left_at, keep_until, outcome, attempts, json_array_length(results) FROM retired " +
          "ORDER BY id",
      );
      assert.deepEqual(rows[0], [
        1,
        9,
        "ann",
        "ann@here.example",
        "Bob+x@there.example",
        "bob@there.example",
        "m1",
        "s",
        "f",
        12,
        time(1),
        time(2),
        time(3),
        "delivered",
        4,
        1,
      ]);
      assert.deepEqual(rows.slice(1).map((r) => [r[0], r[1], r[4], r[13]]), [
        [2, 2, "c@there.example", "failed"],
        [3, 3, "d@there.example", "canceled"],
      ]);
      assert.equal(counts.retired, 3);
      // A number that has been given is not given again.
      assert.deepEqual(queue.get("SELECT seq FROM sqlite_sequence WHERE name = 'messages'"), [3]);
    },
  ));

Deno.test("suppressed addresses and hold rules", () =>
  take(
    [
      typeOf("Suppression", suppression, [
        {
          ID: 1,
          Account: "ann",
          BaseAddress: "b@x.example",
          OriginalAddress: "B+1@x.example",
          Manual: true,
          Reason: "asked",
          Created: time(1),
        },
        { ID: 2, Account: "ann", BaseAddress: "c@x.example" },
      ]),
      typeOf("HoldRule", holdRule, [
        { ID: 1, Account: "ann", SenderDomainStr: "a.example", RecipientDomainStr: "b.example" },
        { ID: 2 },
      ]),
    ],
    {},
    ({ queue, counts }) => {
      assert.deepEqual(
        queue.all(
          "SELECT id, account, base_address, address, manual, reason, created FROM suppressions ORDER BY id",
        ).map((r) => r.slice(0, 6)),
        [
          [1, "ann", "b@x.example", "B+1@x.example", 1, "asked"],
          [2, "ann", "c@x.example", "c@x.example", 0, ""],
        ],
      );
      assert.deepEqual(queue.get("SELECT created FROM suppressions WHERE id = 1"), [time(1)]);
      assert.deepEqual(
        queue.all(
          "SELECT id, account, sender_domain, recipient_domain FROM hold_rules ORDER BY id",
        ),
        [[1, "ann", "a.example", "b.example"], [2, null, null, null]],
      );
      assert.deepEqual([counts.suppressed, counts.holdRules], [2, 2]);
    },
  ));

Deno.test("calls of webhooks, those to make and those that were made", () => {
  const common = {
    Account: "ann",
    URL: "https://hook.example:8443/x",
    Authorization: "Basic x",
    QueueMsgID: 4,
    FromID: "f",
    MessageID: "m",
    Subject: "s",
    Payload: "{}",
    Submitted: time(1),
    Attempts: 1,
    Results: [{
      Start: time(2),
      Duration: 1_499_999,
      Success: false,
      Code: 500,
      Error: "e",
      Response: "r",
    }],
  };
  return take(
    [
      typeOf("Hook", hook, [
        { ID: 1, ...common, IsIncoming: true, NextAttempt: time(3) },
        { ID: 2, ...common, OutgoingEvent: "failed", URL: "nonsense" },
      ]),
      typeOf("HookRetired", retiredHook, [
        { ID: 3, ...common, OutgoingEvent: "delivered", Success: true, LastActivity: time(4) },
        { ID: 4, ...common, OutgoingEvent: "delivered", SupersededByID: 9, KeepUntil: time(5) },
        { ID: 5, ...common, OutgoingEvent: "delivered" },
      ]),
    ],
    {},
    ({ hooks, counts }) => {
      const rows = hooks.all(
        "SELECT id, account, url, host, authorization, event, queue_msg_id, from_id, message_id, subject, " +
          "payload, submitted, attempts, next_attempt, results FROM hooks ORDER BY id",
      );
      assert.deepEqual(rows[0].slice(0, 14), [
        1,
        "ann",
        "https://hook.example:8443/x",
        "hook.example:8443",
        "Basic x",
        "incoming",
        4,
        "f",
        "m",
        "s",
        "{}",
        time(1),
        1,
        time(3),
      ]);
      assert.deepEqual(JSON.parse(rows[0][14] as string), [
        { time: time(2), took: 1, success: false, code: 500, error: "e", response: "r" },
      ]);
      assert.deepEqual([rows[1][3], rows[1][5]], ["", "failed"]);
      assert.deepEqual(
        hooks.all("SELECT id, event, queue_msg_id, outcome FROM retired ORDER BY id"),
        [[3, "delivered", 4, "done"], [4, "delivered", 4, "canceled"], [
          5,
          "delivered",
          4,
          "failed",
        ]],
      );
      assert.deepEqual(
        hooks.all(
          "SELECT left_at FROM retired WHERE id = 3 UNION ALL SELECT keep_until FROM retired WHERE id = 4",
        ),
        [[time(4)], [time(5)]],
      );
      assert.deepEqual([counts.webhooks, counts.retiredWebhooks], [2, 3]);
    },
  );
});

Deno.test("a survey counts and changes nothing; without a queue there is nothing; a damaged one is an error", async () => {
  const none = {
    messages: 0,
    retired: 0,
    suppressed: 0,
    holdRules: 0,
    webhooks: 0,
    retiredWebhooks: 0,
  };
  const dir = await Deno.makeTempDir({ prefix: "mox-queue-" });
  try {
    assert.deepEqual(surveyQueue(dir), none);
    assert.deepEqual(await takeQueue(dir, join(dir, "new"), [], () => {}), none);
    await Deno.mkdir(join(dir, "queue"));
    const path = join(dir, "queue", "index.db");
    writeBolt(path, [
      typeOf("Msg", message, [{ ID: 1, ...joe, ...to("a") }, { ID: 2, ...joe, ...to("b") }]),
      typeOf("HoldRule", holdRule, [{ ID: 1 }]),
    ]);
    assert.ok(isBoltFile(path));
    assert.deepEqual(surveyQueue(dir), { ...none, messages: 2, holdRules: 1 });
    await Deno.truncate(path, 4096 * 3);
    assert.throws(() => surveyQueue(dir), (err: BoltError) => err.name === "BoltError");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
