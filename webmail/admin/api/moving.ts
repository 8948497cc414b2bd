/** Calls for moving in from another server: users, aliases, and the mail of many accounts. @module */
import * as v from "valibot";
import { Count, Nothing, text, Time } from "../../api/basics.ts";

/** A list as text; larger ones need the command. */
const list = v.pipe(text(1_500_000), v.minLength(1));
const names = v.pipe(v.array(v.pipe(text(500), v.minLength(1))), v.maxLength(10_000));

/** The result of importing a list, or of a trial. */
const ListResult = v.object({
  /** One line per change. */
  changes: v.array(v.string()),
  /** By line of the list; 0 for the list as a whole. */
  problems: v.array(v.object({ line: Count, message: v.string() })),
  /** Passwords that were set, or would be checked. */
  passwords: Count,
  /** What happened to them, one line each. */
  notes: v.array(v.string()),
});
export type ListResult = v.InferOutput<typeof ListResult>;

const AccountMove = v.object({
  account: v.string(),
  state: v.picklist(["waiting", "running", "done", "failed"]),
  imported: Count,
  duplicates: Count,
  /** Changed or deleted to follow the other server. */
  followed: Count,
  error: v.string(),
  warnings: v.array(v.string()),
  warningCount: Count,
});

const MoveState = v.object({
  what: v.string(),
  phase: v.picklist(["running", "waiting", "stopped", "done", "failed"]),
  began: Time,
  /** 0 while it is running. */
  ended: Time,
  rounds: Count,
  /** When the next round starts; 0 for none. */
  next: Time,
  error: v.string(),
  /** Numbers of accounts by state. */
  counts: v.object({ waiting: Count, running: Count, done: Count, failed: Count }),
  imported: Count,
  /** At most 500: first those that failed, then those under way. */
  accounts: v.array(AccountMove),
});
export type MoveState = v.InferOutput<typeof MoveState>;

const common = {
  /** Accounts in parallel. */
  parallel: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)),
  /** Minutes between rounds that look for new mail; 0 for a single round. */
  again: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1440)),
  /** Names or addresses; all accounts if none are named. */
  accounts: names,
};

export const movingCalls = {
  MoveUsers: {
    request: v.strictObject({
      text: list,
      /** "" to detect it. */
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
      /** 0 for the default port. */
      port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
      tls: v.picklist(["tls", "starttls", "none"]),
      /** A user who may log in as others; "" if there is a table. */
      master: text(500),
      separator: text(10),
      password: text(1000),
      /** CSV: local account or address, remote user, password. */
      table: text(1_500_000),
      /** Whether changed flags and deletions since the last round are carried over. */
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
      /** For users without a domain. */
      domain: text(500),
      ...common,
    }),
    response: Nothing,
  },
  MoveScripts: {
    request: v.strictObject({
      /** Home folders of Dovecot's users; "" for Cyrus. */
      home: text(1000),
      /** Cyrus's folder of scripts; "" for Dovecot. */
      sievedir: text(1000),
      /** A partition of Cyrus 3.6, which stores scripts there; "" for none. */
      spool: text(1000),
      domain: text(500),
      /** Also replaces scripts with the same names. */
      replace: v.boolean(),
      accounts: names,
      dryRun: v.boolean(),
    }),
    /** A line for each script, and for those that are now active. */
    response: v.object({ stored: Count, failed: Count, lines: v.array(v.string()) }),
  },
  /** The running move, or the last one. */
  MoveState: { request: Nothing, response: v.object({ move: v.nullable(MoveState) }) },
  /** Stops the move; copied messages stay. */
  MoveStop: { request: Nothing, response: Nothing },
};
