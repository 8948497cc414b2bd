/** Rows of the database of webhooks. @module */
import type { AccountDatabase } from "../../store/database/account_rows.ts";
import type { Db, Migration, Row, SqlValue } from "../../store/database/database.ts";
import type { Hook, HookFilter, RetiredHook } from "./types.ts";

export const hookMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE hooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  authorization TEXT NOT NULL,
  event TEXT NOT NULL,
  queue_msg_id INTEGER NOT NULL,
  from_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  submitted INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt INTEGER NOT NULL,
  -- Being called by this process; taken back at the next start.
  leased INTEGER NOT NULL DEFAULT 0,
  results TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX hooks_due ON hooks (host, next_attempt) WHERE leased = 0;
CREATE INDEX hooks_account ON hooks (account);
CREATE TABLE retired (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  url TEXT NOT NULL,
  event TEXT NOT NULL,
  queue_msg_id INTEGER NOT NULL,
  from_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  submitted INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  results TEXT NOT NULL,
  -- done, failed, canceled
  outcome TEXT NOT NULL,
  left_at INTEGER NOT NULL,
  keep_until INTEGER NOT NULL
);
CREATE INDEX retired_keep ON retired (keep_until);
CREATE TABLE secrets (account TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;
`,
}];

/**
 * The tables with rows of accounts, except for waiting calls: the server that queued them makes them, signed as
 * before.
 */
export const hooksOfAccounts: AccountDatabase = {
  file: "webhooks/hooks.db",
  migrations: hookMigrations,
  tables: [{ name: "secrets", stays: true }],
};

export const hookColumns =
  "id, account, url, host, authorization, event, queue_msg_id, from_id, message_id, subject, payload, " +
  "submitted, attempts, next_attempt, results";

export function hookFromRow(row: Row): Hook {
  return {
    id: row[0],
    account: row[1],
    url: row[2],
    host: row[3],
    authorization: row[4],
    event: row[5],
    queueMsgId: row[6],
    fromId: row[7],
    messageId: row[8],
    subject: row[9],
    payload: row[10],
    submitted: row[11],
    attempts: row[12],
    nextAttempt: row[13],
    results: JSON.parse(row[14]),
  };
}

const retiredColumns =
  "id, account, url, event, queue_msg_id, from_id, message_id, subject, payload, submitted, attempts, " +
  "results, outcome, left_at, keep_until";

function retiredFromRow(row: Row): RetiredHook {
  return {
    id: row[0],
    account: row[1],
    url: row[2],
    event: row[3],
    queueMsgId: row[4],
    fromId: row[5],
    messageId: row[6],
    subject: row[7],
    payload: row[8],
    submitted: row[9],
    attempts: row[10],
    results: JSON.parse(row[11]),
    outcome: row[12],
    left: row[13],
    keepUntil: row[14],
  };
}

/** The condition of a filter, with its values. */
export function hookCondition(filter: HookFilter): { where: string; values: SqlValue[] } {
  const parts = ["1"];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined) => {
    if (value === undefined) return;
    parts.push(condition);
    values.push(value);
  };
  add(
    "id IN (SELECT value FROM json_each(?))",
    filter.ids === undefined ? undefined : JSON.stringify(filter.ids),
  );
  add("account = ?", filter.account);
  add("event = ?", filter.event);
  return { where: parts.join(" AND "), values };
}

/** Waiting calls, the next first. */
export function findHooks(db: Db, filter: HookFilter, limit: number): Hook[] {
  const { where, values } = hookCondition(filter);
  return db.all(
    `SELECT ${hookColumns} FROM hooks WHERE ${where} ORDER BY next_attempt, id LIMIT ?`,
    ...values,
    limit,
  ).map(hookFromRow);
}

/** Finished calls, latest first. */
export function findRetiredHooks(db: Db, filter: HookFilter, limit: number): RetiredHook[] {
  const { where, values } = hookCondition(filter);
  return db.all(
    `SELECT ${retiredColumns} FROM retired WHERE ${where} ORDER BY left_at DESC, id DESC LIMIT ?`,
    ...values,
    limit,
  ).map(retiredFromRow);
}

/** Keeps a finished call. Authorization is not kept. */
export function retireHook(
  db: Db,
  hook: Hook,
  outcome: RetiredHook["outcome"],
  now: number,
  period: number,
): void {
  db.run(
    `INSERT OR REPLACE INTO retired (${retiredColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    hook.id,
    hook.account,
    hook.url,
    hook.event,
    hook.queueMsgId,
    hook.fromId,
    hook.messageId,
    hook.subject,
    hook.payload,
    hook.submitted,
    hook.attempts,
    JSON.stringify(hook.results),
    outcome,
    now,
    now + period,
  );
}
