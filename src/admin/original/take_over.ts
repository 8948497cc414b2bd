/**
 * Taking over an installation of the Go original. Everything is written to a new folder next to the data folder, which
 * replaces it in one step at the end: an interrupted take-over leaves nothing, and an earlier one is
 * replaced, until a server has run with it.
 *
 * @module
 */
import { join } from "node:path";
import { takeFilter } from "../../junk/original.ts";
import { ensureDir, syncDir, writeFileAtomic } from "../../platform/files.ts";
import { surveyQueue, type TakenQueue, takeQueue, type WrittenTo } from "../../queue/original.ts";
import { isRoot } from "../../platform/users.ts";
import { type TakenReports, takeReports } from "../../reports/original.ts";
import { RecordFile } from "../../store/bolt/records.ts";
import {
  surveyAccount,
  takeAccount,
  type TakenAccount,
} from "../../store/import/original/account.ts";
import { TlsKeyError, TlsKeys } from "../../store/logins/tls_keys.ts";
import { StsCache } from "../../tlspolicy/sts_cache.ts";
import { AdminError } from "../errors.ts";
import { originalAccounts, type OriginalFolder } from "./folder.ts";

/** Marker file in a data folder that was taken over, until a server has run with it. */
export const takenOverFile = "taken-over.json";

/** What is, or would be, taken over. */
export interface TakenOver {
  accounts: Map<string, TakenAccount>;
  queue: TakenQueue;
  reports: TakenReports;
  tlsKeys: number;
  stsPolicies: number;
  /** Words and messages of junk filters, by account. */
  filters: Map<string, { words: number; hams: number; spams: number }>;
  /** Data that is not taken over, by name. */
  dropped: Map<string, number>;
}

export interface TakeOverOptions {
  /** Called with lines of progress, and with data that can't be taken over unchanged. */
  tell(line: string): void;
  /** Called often with an account's number of messages done and its total. */
  progress?(account: string, done: number, of: number): void;
}

/** Data without use here, in databases of the whole server. */
const droppedTypes: readonly (readonly [file: string, type: string, name: string])[] = [
  ["auth.db", "LoginAttempt", "log of attempts to log in"],
  ["dmarceval.db", "Evaluation", "evaluations of the last day for outgoing DMARC reports"],
  ["tlsrptresult.db", "TLSResult", "results of the last days for outgoing TLS reports"],
];
const droppedOfAccounts: Record<string, string> = {
  LoginSession: "logins in browsers",
  RecipientDomainTLS: "what is known of TLS at recipients",
  RulesetNoListID: "answers not to be asked about rulesets again",
  RulesetNoMailbox: "answers not to be asked about rulesets again",
  RulesetNoMsgFrom: "answers not to be asked about rulesets again",
  Subjectpass: "keys of tokens in subjects (SubjectPass), which are good for hours",
};

function countRecords(path: string, type: string): number {
  return readRecords(path, (file) => {
    let n = 0;
    for (const _ of file.records(type)) n++;
    return n;
  }) ?? 0;
}

/** Runs with a database of the original open; undefined if it doesn't exist. */
function readRecords<T>(path: string, fn: (file: RecordFile) => T): T | undefined {
  let file: RecordFile;
  try {
    file = RecordFile.open(path);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
  let failed = true;
  try {
    const result = fn(file);
    failed = false;
    return result;
  } finally {
    file.close(failed);
  }
}

function addDropped(taken: TakenOver, name: string, count: number): void {
  if (count > 0) taken.dropped.set(name, (taken.dropped.get(name) ?? 0) + count);
}

/** What could be dropped from the databases of the whole server. */
function noteDropped(taken: TakenOver, dataDir: string): void {
  for (const [file, type, name] of droppedTypes) {
    addDropped(taken, name, countRecords(join(dataDir, file), type));
  }
  for (const account of taken.accounts.values()) {
    for (const [type, n] of Object.entries(account.dropped)) {
      addDropped(taken, droppedOfAccounts[type] ?? type, n);
    }
  }
}

/** Reads a whole installation, and reports its contents. Nothing is written. @throws BoltError */
export async function surveyOriginal(
  from: OriginalFolder,
  options: TakeOverOptions,
): Promise<TakenOver> {
  const { dataDir } = from;
  const taken: TakenOver = {
    accounts: new Map(),
    queue: surveyQueue(dataDir),
    reports: await takeReports(dataDir, undefined),
    tlsKeys: countRecords(join(dataDir, "auth.db"), "TLSPublicKey"),
    stsPolicies: countRecords(join(dataDir, "mtasts.db"), "PolicyRecord"),
    filters: new Map(),
    dropped: new Map(),
  };
  for (const name of originalAccounts(dataDir)) {
    options.tell(`looking at account ${name}`);
    taken.accounts.set(name, surveyAccount(join(dataDir, "accounts", name)));
    const words = countRecords(join(dataDir, "accounts", name, "junkfilter.db"), "wordscore");
    // A single record has the numbers of messages.
    if (words > 0) taken.filters.set(name, { words: words - 1, hams: 0, spams: 0 });
  }
  noteDropped(taken, dataDir);
  return taken;
}

/**
 * Prepares for the new data folder.
 * @throws AdminError if there is one with which a server has run, or which belongs to the original
 */
async function checkTarget(target: string, from: OriginalFolder): Promise<void> {
  const [a, b] = [await realPath(target), await realPath(from.dataDir)];
  if (a === b || `${a}/`.startsWith(`${b}/`)) {
    throw new AdminError(
      `${target} is in the original's data folder, in which nothing is to be changed: run this in a new folder, ` +
        `or with -config for a mox.conf with another DataDir`,
    );
  }
  let names: string[];
  try {
    names = [...Deno.readDirSync(target)].map((e) => e.name);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return;
    throw err;
  }
  if (names.length === 0 || names.includes(takenOverFile)) return;
  throw new AdminError(
    `${target} has data already that is not of a take-over, or with which a server has run since: what is in it ` +
      `would be lost. Move it away to begin anew`,
  );
}

async function realPath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => path);
}

/**
 * Takes an installation over into a data folder. On disk when it resolves.
 * @param target the new data folder
 * @throws AdminError, BoltError; errors of the file system
 */
export async function takeOverOriginal(
  from: OriginalFolder,
  target: string,
  options: TakeOverOptions,
): Promise<TakenOver> {
  await checkTarget(target, from);
  const building = `${target}.taking-over`;
  await Deno.remove(building, { recursive: true }).catch(ignoreMissing);
  await ensureDir(join(building, "accounts"));
  try {
    const taken = await fill(from.dataDir, building, options);
    const note = { from: from.dataDir, at: new Date().toISOString() };
    await writeFileAtomic(
      join(building, takenOverFile),
      new TextEncoder().encode(`${JSON.stringify(note, undefined, 2)}\n`),
    );
    if (isRoot()) await ownLike(building, from.dataDir);
    await putInPlace(building, target);
    return taken;
  } catch (err) {
    await Deno.remove(building, { recursive: true }).catch(ignoreMissing);
    throw err;
  }
}

function ignoreMissing(err: unknown): void {
  if (!(err instanceof Deno.errors.NotFound)) throw err;
}

async function fill(dataDir: string, to: string, options: TakeOverOptions): Promise<TakenOver> {
  const accounts = new Map<string, TakenAccount>();
  const filters: TakenOver["filters"] = new Map();
  const writtenTo: WrittenTo[] = [];
  for (const name of originalAccounts(dataDir)) {
    const dir = join(dataDir, "accounts", name);
    const folder = join(to, "accounts", name);
    await ensureDir(folder);
    const taken = await takeAccount(dir, folder, {
      warn: (text) => options.tell(`${name}: ${text}`),
      progress: (done, of) => options.progress?.(name, done, of),
    });
    accounts.set(name, taken);
    const filter = await takeFilter(dir, folder);
    if (filter) filters.set(name, filter);
    writtenTo.push(...recipientsOf(dir, name));
    options.tell(`${name}: ${taken.messages} messages in ${taken.mailboxes} mailboxes`);
  }
  await syncDir(join(to, "accounts"));
  const taken: TakenOver = {
    accounts,
    filters,
    queue: await takeQueue(dataDir, to, writtenTo, options.tell),
    reports: await takeReports(dataDir, to),
    tlsKeys: await takeTlsKeys(dataDir, to, options),
    stsPolicies: await takePolicies(dataDir, to),
    dropped: new Map(),
  };
  noteDropped(taken, dataDir);
  return taken;
}

/** Recipients of an account, which no longer count as new. */
function recipientsOf(dir: string, account: string): WrittenTo[] {
  return readRecords(join(dir, "index.db"), (file) => {
    const list: WrittenTo[] = [];
    for (const r of file.records("Recipient")) {
      const address = `${r.text("Localpart")}@${r.text("Domain")}`.toLowerCase();
      list.push({ account, address, first: r.number("Sent") });
    }
    for (const r of file.records("Outgoing")) {
      const address = r.text("Recipient").toLowerCase();
      list.push({ account, address, first: r.number("Submitted") });
    }
    return list;
  }) ?? [];
}

async function takeTlsKeys(dataDir: string, to: string, options: TakeOverOptions): Promise<number> {
  const records = readRecords(join(dataDir, "auth.db"), (f) => [...f.records("TLSPublicKey")]);
  const keys = await TlsKeys.open(to);
  let count = 0;
  try {
    for (const k of records ?? []) {
      const owner = { login: k.text("LoginAddress"), account: k.text("Account") };
      try {
        await keys.add(owner, k.bytes("CertDER"), k.text("Name"), k.number("Created"));
        count++;
      } catch (err) {
        if (!(err instanceof TlsKeyError)) throw err;
        options.tell(`the TLS key ${k.text("Name")} of ${owner.login} is left out: ${err.message}`);
      }
    }
  } finally {
    await keys.close();
  }
  return count;
}

async function takePolicies(dataDir: string, to: string): Promise<number> {
  const records = readRecords(join(dataDir, "mtasts.db"), (f) => [...f.records("PolicyRecord")]);
  const cache = await StsCache.open(to);
  let count = 0;
  try {
    for (const p of records ?? []) {
      const mode = p.text("Mode");
      const expires = p.number("ValidEnd");
      if (p.flag("Backoff") || (mode !== "none" && mode !== "testing" && mode !== "enforce")) {
        continue;
      }
      if (expires < Date.now()) continue;
      await cache.put({
        domain: p.text("Domain"),
        recordId: p.text("RecordID"),
        fetched: p.number("LastUpdate"),
        expires,
        used: p.number("LastUse"),
        mode,
        maxAge: p.number("MaxAgeSeconds"),
        mx: p.records("MX").map((mx) =>
          `${mx.flag("Wildcard") ? "*." : ""}${mx.record("Domain").text("ASCII")}`.toLowerCase()
        ),
        lines: p.text("PolicyText").split(/\r?\n/).filter((line) => line !== ""),
      });
      count++;
    }
  } finally {
    await cache.close();
  }
  return count;
}

/** Gives a folder and its contents the owner of another one. */
async function ownLike(dir: string, like: string): Promise<void> {
  const { uid, gid } = await Deno.stat(like);
  if (uid === null || gid === null) return;
  const walk = (path: string) => {
    Deno.chownSync(path, uid, gid);
    for (const e of Deno.readDirSync(path)) {
      const inner = join(path, e.name);
      if (e.isDirectory) walk(inner);
      // Linked message files belong to the original as well.
      else if (Deno.lstatSync(inner).nlink === 1) Deno.chownSync(inner, uid, gid);
    }
  };
  walk(dir);
}

/** Replaces the data folder by the new one; an earlier take-over is removed. */
async function putInPlace(building: string, target: string): Promise<void> {
  const parent = join(target, "..");
  const before = `${target}.before`;
  await Deno.remove(before, { recursive: true }).catch(ignoreMissing);
  let moved = false;
  try {
    await Deno.rename(target, before);
    moved = true;
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) {
      throw new AdminError(
        `${target} can't be replaced (is it a mount point?): ${(err as Error).message}`,
      );
    }
  }
  await Deno.rename(building, target);
  await syncDir(parent);
  if (moved) await Deno.remove(before, { recursive: true });
}
