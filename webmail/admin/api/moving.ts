/** Calls about moving in from another server: users, aliases, and the mail of many accounts. @module */
import * as v from "valibot";
import { Count, Nothing, text, Time } from "../../api/basics.ts";

/** Characters of a list; larger ones are for the command. */
const list = v.pipe(text(1_500_000), v.minLength(1));
const names = v.pipe(v.array(v.pipe(text(500), v.minLength(1))), v.maxLength(10_000));

/** What was made of a list, or would be. */
const ListResult = v.object({
  /** A line for each. */
  changes: v.array(v.string()),
  /** In lines of the list; 0 for the list itself. */
  problems: v.array(v.object({ line: Count, message: v.string() })),
  /** Passwords that were set, or would be looked at. */
  passwords: Count,
  /** What became of them, a line for each. */
  notes: v.array(v.string()),
});
export type ListResult = v.InferOutput<typeof ListResult>;

const AccountMove = v.object({
  account: v.string(),
  state: v.picklist(["waiting", "running", "done", "failed"]),
  imported: Count,
  duplicates: Count,
  /** Changed or removed as at the other server. */
  followed: Count,
  error: v.string(),
  warnings: v.array(v.string()),
  warningCount: Count,
});

const MoveState = v.object({
  what: v.string(),
  phase: v.picklist(["running", "waiting", "stopped", "done", "failed"]),
  began: Time,
  /** 0 while it runs. */
  ended: Time,
  rounds: Count,
  /** When the next round begins; 0 without one. */
  next: Time,
  error: v.string(),
  /** By state: of all accounts. */
  counts: v.object({ waiting: Count, running: Count, done: Count, failed: Count }),
  imported: Count,
  /** At most 500: those that failed first, then those under way. */
  accounts: v.array(AccountMove),
});
export type MoveState = v.InferOutput<typeof MoveState>;

const common = {
  /** Accounts at a time. */
  parallel: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)),
  /** Minutes after which new mail is looked for again; 0 for once. */
  again: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1440)),
  /** Names or addresses; all accounts if none is named. */
  accounts: names,
};

export const movingCalls = {
  MoveUsers: {
    request: v.strictObject({
      text: list,
      /** "" for what it looks like. */
      format: v.picklist(["", "passwd", "csv", "json"]),
      domain: text(500),
      replacePasswords: v.boolean(),
      dryRun: v.boolean(),
    }),
    response: ListResult,
  },
  MoveAliases: {
    request: v.strictObject({ text: list, domain: text(500), dryRun: v.boolean() }),
    response: ListResult,
  },
  MoveByImap: {
    request: v.strictObject({
      host: v.pipe(text(500), v.minLength(1)),
      /** 0 for the usual one. */
      port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
      tls: v.picklist(["tls", "starttls", "none"]),
      /** A user who may log in as others; "" with a table. */
      master: text(500),
      separator: text(10),
      password: text(1000),
      /** CSV: account or address here, user there, password. */
      table: text(1_500_000),
      /** Carry over changes of flags, and removals, since messages were brought. */
      follow: v.boolean(),
      ...common,
    }),
    response: Nothing,
  },
  MoveMaildirs: {
    request: v.strictObject({ pattern: v.pipe(text(1000), v.minLength(1)), ...common }),
    response: Nothing,
  },
  MoveCyrus: {
    request: v.strictObject({
      /** Folder of a partition. */
      spool: v.pipe(text(1000), v.minLength(1)),
      /** Of users without one. */
      domain: text(500),
      ...common,
    }),
    response: Nothing,
  },
  MoveScripts: {
    request: v.strictObject({
      /** Homes of Dovecot's users; "" for Cyrus. */
      home: text(1000),
      /** Cyrus' folder of scripts; "" for Dovecot. */
      sievedir: text(1000),
      /** A partition of Cyrus 3.6, which has scripts there; "" without. */
      spool: text(1000),
      domain: text(500),
      /** Also those whose names are taken here. */
      replace: v.boolean(),
      accounts: names,
      dryRun: v.boolean(),
    }),
    /** A line for each script, and for those that are active now. */
    response: v.object({ stored: Count, failed: Count, lines: v.array(v.string()) }),
  },
  /** The move under way, or the last one. */
  MoveState: { request: Nothing, response: v.object({ move: v.nullable(MoveState) }) },
  /** Ends the move; what was brought stays. */
  MoveStop: { request: Nothing, response: Nothing },
};
