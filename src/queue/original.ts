/**
 * The queue of the Go original: messages with their recipients' attempts, recipients that left it, hold rules,
 * suppressed addresses, and webhook calls. Read from its `queue/index.db`, written to new databases.
 *
 * @module
 */
import { join } from "node:path";
import { packLocalpart } from "../config/names.ts";
import { ensureDir, syncDir } from "../platform/files.ts";
import { type BoltRecord, RecordFile } from "../store/bolt/records.ts";
import { Db } from "../store/database/database.ts";
import { MessageFiles } from "../store/files/message_files.ts";
import { OriginalFiles } from "../store/import/original/messages.ts";
import { baseAddress, type Outcome } from "./retired.ts";
import { domainOf, updateDestination } from "./rows.ts";
import { queueMigrations } from "./schema.ts";
import type { Attempt } from "./types.ts";
import { hookMigrations } from "./webhooks/rows.ts";
import type { HookAttempt } from "./webhooks/types.ts";

/** How much was, or would be, taken over. */
export interface TakenQueue {
  messages: number;
  retired: number;
  suppressed: number;
  holdRules: number;
  webhooks: number;
  retiredWebhooks: number;
}

const noQueue: TakenQueue = {
  messages: 0,
  retired: 0,
  suppressed: 0,
  holdRules: 0,
  webhooks: 0,
  retiredWebhooks: 0,
};

const kinds: readonly (readonly [type: string, count: keyof TakenQueue])[] = [
  ["Msg", "messages"],
  ["MsgRetired", "retired"],
  ["Suppression", "suppressed"],
  ["HoldRule", "holdRules"],
  ["Hook", "webhooks"],
  ["HookRetired", "retiredWebhooks"],
];

/** Surveys the original's queue without changing anything. @throws BoltError */
export function surveyQueue(dataDir: string): TakenQueue {
  const taken = { ...noQueue };
  withQueue(dataDir, (file) => {
    for (const [type, count] of kinds) for (const _ of file.records(type)) taken[count]++;
  });
  return taken;
}

/** Runs with the original's queue open, if it has one. */
function withQueue(dataDir: string, fn: (file: RecordFile) => void): void {
  let file: RecordFile;
  try {
    file = RecordFile.open(join(dataDir, "queue", "index.db"));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return;
    throw err;
  }
  let failed = true;
  try {
    fn(file);
    failed = false;
  } finally {
    file.close(failed);
  }
}

/** Whom an account has written to, for the limit on new recipients. */
export interface WrittenTo {
  account: string;
  address: string;
  /** Milliseconds. */
  first: number;
}

/**
 * Takes the queue over.
 * @param from the original's data folder
 * @param to a new data folder, without a queue
 * @throws BoltError; errors of the file system
 */
export async function takeQueue(
  from: string,
  to: string,
  writtenTo: Iterable<WrittenTo>,
  warn: (text: string) => void,
): Promise<TakenQueue> {
  const taken = { ...noQueue };
  const dir = join(to, "queue");
  await ensureDir(join(dir, "msg"));
  await ensureDir(join(to, "webhooks"));
  const db = await Db.open(join(dir, "index.db"), queueMigrations);
  const hooks = await Db.open(join(to, "webhooks", "hooks.db"), hookMigrations);
  try {
    const files = new MessageFiles(join(dir, "msg"));
    const sources = new OriginalFiles(join(from, "queue"));
    const messages: BoltRecord[] = [];
    withQueue(from, (file) => {
      messages.push(...file.records("Msg"));
      db.transaction(() => {
        taken.retired = takeRetired(db, file);
        taken.suppressed = takeSuppressed(db, file);
        taken.holdRules = takeHoldRules(db, file);
        for (const w of writtenTo) {
          db.run(
            "INSERT OR IGNORE INTO written_to VALUES (?, ?, ?)",
            w.account,
            w.address,
            w.first,
          );
        }
      });
      hooks.transaction(() => {
        taken.webhooks = takeHooks(hooks, file);
        taken.retiredWebhooks = takeRetiredHooks(hooks, file);
      });
    });
    for (const m of messages) {
      const target = files.path(m.number("ID"));
      await ensureDir(join(target, ".."));
      try {
        await sources.place(m.number("ID"), target);
      } catch (err) {
        if (!(err instanceof Deno.errors.NotFound)) throw err;
        warn(
          `the message to ${address(m, "Recipient")} in the queue is left out: its file is missing`,
        );
        continue;
      }
      await syncDir(join(target, ".."));
      db.transaction(() => takeMessage(db, m, Deno.statSync(target).size));
      taken.messages++;
    }
    db.transaction(() => {
      const [last] = db.get(
        "SELECT max(id) FROM (SELECT id FROM recipients UNION ALL SELECT id FROM retired)",
      )!;
      for (const table of ["messages", "recipients"]) {
        db.run("DELETE FROM sqlite_sequence WHERE name = ?", table);
        db.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, last ?? 0);
      }
    });
    await db.durable();
    await hooks.durable();
  } finally {
    await db.close();
    await hooks.close();
  }
  await syncDir(join(dir, "msg"));
  return taken;
}

/** An address whose parts are in separate fields. */
function address(record: BoltRecord, who: "Sender" | "Recipient"): string {
  const localpart = record.text(`${who}Localpart`);
  const domain = record.text(`${who}DomainStr`);
  return domain === "" ? "" : `${packLocalpart(localpart)}@${domain}`;
}

function attempts(record: BoltRecord): Attempt[] {
  return record.records("Results").map((r) => {
    const code = r.number("Code");
    const secode = r.text("Secode");
    return {
      time: r.number("Start"),
      kind: r.flag("Success") ? "delivered" : code >= 500 ? "permanent" : "temporary",
      code,
      enhanced: secode === "" ? "" : `${r.flag("Success") ? 2 : code >= 500 ? 5 : 4}.${secode}`,
      text: r.text("Error"),
    };
  });
}

function takeMessage(db: Db, record: BoltRecord, fileSize: number): void {
  const id = record.number("ID");
  const mailFrom = address(record, "Sender");
  const requireTls = record.value("RequireTLS");
  db.run(
    "INSERT INTO messages (id, account, mail_from, file_size, prefix, smtputf8, has8bit, require_tls, " +
      "ret, envelope_id, message_id, subject, is_dsn, queued, tls_optional, binary_mime, extra) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', NULL, ?, ?, ?, ?, ?, 0, ?)",
    id,
    record.text("SenderAccount"),
    mailFrom,
    fileSize,
    record.bytes("MsgPrefix"),
    record.flag("SMTPUTF8") ? 1 : 0,
    record.flag("Has8bit") ? 1 : 0,
    requireTls === true ? 1 : 0,
    record.text("MessageID"),
    record.text("Subject"),
    mailFrom === "" || record.flag("IsDMARCReport") || record.flag("IsTLSReport") ? 1 : 0,
    record.number("Queued"),
    requireTls === false ? 1 : 0,
    JSON.stringify(record.textMap("Extra")),
  );
  const to = address(record, "Recipient");
  db.run(
    "INSERT INTO recipients (id, message_id, address, domain, attempts, next_attempt, hold, results, transport, " +
      "from_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    id,
    id,
    to,
    domainOf(to),
    record.number("Attempts"),
    record.number("NextAttempt"),
    record.flag("Hold") ? 1 : 0,
    JSON.stringify(attempts(record)),
    record.text("Transport") || null,
    record.text("FromID"),
  );
  updateDestination(db, domainOf(to), 0);
}

function takeRetired(db: Db, file: RecordFile): number {
  let count = 0;
  for (const m of file.records("MsgRetired")) {
    const to = m.text("RecipientAddress") || address(m, "Recipient");
    const results = attempts(m);
    const outcome: Outcome = m.flag("Success")
      ? "delivered"
      : results.length === 0
      ? "canceled"
      : "failed";
    db.run(
      "INSERT OR REPLACE INTO retired (id, message_id, account, mail_from, address, base_address, " +
        "message_key, subject, from_id, extra, size, queued, left_at, keep_until, outcome, attempts, results) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      m.number("ID"),
      m.number("BaseID") || m.number("ID"),
      m.text("SenderAccount"),
      address(m, "Sender"),
      to,
      baseAddress(to),
      m.text("MessageID"),
      m.text("Subject"),
      m.text("FromID"),
      JSON.stringify(m.textMap("Extra")),
      m.number("Size"),
      m.number("Queued"),
      m.number("LastActivity"),
      m.number("KeepUntil"),
      outcome,
      m.number("Attempts"),
      JSON.stringify(results),
    );
    count++;
  }
  return count;
}

function takeSuppressed(db: Db, file: RecordFile): number {
  let count = 0;
  for (const s of file.records("Suppression")) {
    const original = s.text("OriginalAddress") || s.text("BaseAddress");
    db.run(
      "INSERT OR IGNORE INTO suppressions (id, account, base_address, address, manual, reason, created) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
      s.number("ID"),
      s.text("Account"),
      baseAddress(original),
      original,
      s.flag("Manual") ? 1 : 0,
      s.text("Reason"),
      s.number("Created"),
    );
    count++;
  }
  return count;
}

function takeHoldRules(db: Db, file: RecordFile): number {
  let count = 0;
  for (const r of file.records("HoldRule")) {
    db.run(
      "INSERT INTO hold_rules (id, account, sender_domain, recipient_domain) VALUES (?, ?, ?, ?)",
      r.number("ID"),
      r.text("Account") || null,
      r.text("SenderDomainStr") || null,
      r.text("RecipientDomainStr") || null,
    );
    count++;
  }
  return count;
}

function hookAttempts(record: BoltRecord): HookAttempt[] {
  return record.records("Results").map((r) => ({
    time: r.number("Start"),
    took: Math.round(r.number("Duration") / 1e6),
    success: r.flag("Success"),
    code: r.number("Code"),
    error: r.text("Error"),
    response: r.text("Response"),
  }));
}

function eventOf(record: BoltRecord): string {
  return record.flag("IsIncoming") ? "incoming" : record.text("OutgoingEvent");
}

function takeHooks(db: Db, file: RecordFile): number {
  let count = 0;
  for (const h of file.records("Hook")) {
    db.run(
      "INSERT INTO hooks (id, account, url, host, authorization, event, queue_msg_id, from_id, message_id, " +
        "subject, payload, submitted, attempts, next_attempt, results) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      h.number("ID"),
      h.text("Account"),
      h.text("URL"),
      URL.parse(h.text("URL"))?.host ?? "",
      h.text("Authorization"),
      eventOf(h),
      h.number("QueueMsgID"),
      h.text("FromID"),
      h.text("MessageID"),
      h.text("Subject"),
      h.text("Payload"),
      h.number("Submitted"),
      h.number("Attempts"),
      h.number("NextAttempt"),
      JSON.stringify(hookAttempts(h)),
    );
    count++;
  }
  return count;
}

function takeRetiredHooks(db: Db, file: RecordFile): number {
  let count = 0;
  for (const h of file.records("HookRetired")) {
    db.run(
      "INSERT INTO retired (id, account, url, event, queue_msg_id, from_id, message_id, subject, payload, " +
        "submitted, attempts, results, outcome, left_at, keep_until) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      h.number("ID"),
      h.text("Account"),
      h.text("URL"),
      eventOf(h),
      h.number("QueueMsgID"),
      h.text("FromID"),
      h.text("MessageID"),
      h.text("Subject"),
      h.text("Payload"),
      h.number("Submitted"),
      h.number("Attempts"),
      JSON.stringify(hookAttempts(h)),
      h.flag("Success") ? "done" : h.number("SupersededByID") !== 0 ? "canceled" : "failed",
      h.number("LastActivity"),
      h.number("KeepUntil"),
    );
    count++;
  }
  return count;
}
