/** An account in a temporary folder, checked for consistency when it is closed. */
import { join } from "node:path";
import { Log, setLevel } from "../../src/log/mod.ts";
import { type Account, consistency } from "../../src/store/account/account.ts";
import type { AccountRules } from "../../src/store/account/writer.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { type DeliveryFacts, SpecialUse } from "../../src/store/types.ts";

consistency.checkAtClose = true;
setLevel("store", "error");

export const testRules: AccountRules = {
  initialMailboxes: () => [
    { name: "Sent", specialUse: SpecialUse.Sent },
    { name: "Archive", specialUse: SpecialUse.Archive },
    { name: "Trash", specialUse: SpecialUse.Trash },
    { name: "Drafts", specialUse: SpecialUse.Drafts },
    { name: "Junk", specialUse: SpecialUse.Junk },
  ],
  junkFlags: () => undefined,
  quotaMessageSize: () => undefined,
};

export interface TestStore {
  dir: string;
  accounts: Accounts;
  account: Account;
  /** Writes a message file and returns what deliver wants. */
  message(text: string): Promise<{ file: string; fileSize: number; prefix: Uint8Array }>;
  /** Closes all, runs `between`, and opens the same folder again. */
  reopen(between?: () => void): Promise<void>;
}

/** A file system in memory, where there is one: for tests of many small writes, which would wait for the disk. */
function memory(): string | undefined {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? "/dev/shm" : undefined;
  } catch {
    return undefined;
  }
}

/** Runs with a new account; closing it checks counts and files. */
export async function withStore(
  fn: (s: TestStore) => Promise<void>,
  rules: Partial<AccountRules> = {},
  options: { inMemory?: boolean } = {},
): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: options.inMemory ? memory() : undefined });
  const open = () =>
    new Accounts(
      join(dir, "accounts"),
      new Log("store"),
      (name) => name === "test" ? { ...testRules, ...rules } : undefined,
    );
  let n = 0;
  const s: TestStore = {
    dir,
    accounts: open(),
    account: undefined as unknown as Account,
    async message(text) {
      const file = join(dir, `incoming-${n++}`);
      const bytes = new TextEncoder().encode(text.replace(/\r?\n/g, "\r\n"));
      await Deno.writeFile(file, bytes);
      return { file, fileSize: bytes.length, prefix: new Uint8Array(0) };
    },
    async reopen(between) {
      s.account.close();
      await s.accounts.closeAll();
      between?.();
      s.accounts = open();
      s.account = await s.accounts.open("test");
    },
  };
  s.account = await s.accounts.open("test");
  const close = async () => {
    try {
      s.account.close();
      await s.accounts.closeAll();
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  };
  try {
    await fn(s);
  } catch (err) {
    // What went wrong first says more than what is found at the end.
    await close().catch(() => {});
    throw err;
  }
  await close();
}

/** Files below the account's message folder, relative paths. */
export function messageFiles(s: TestStore): string[] {
  const found: string[] = [];
  const root = join(s.dir, "accounts", "test", "msg");
  for (const shard of Deno.readDirSync(root)) {
    for (const f of Deno.readDirSync(join(root, shard.name))) found.push(`${shard.name}/${f.name}`);
  }
  return found.sort();
}

/** Runs with a clock that stands still at a time, in milliseconds. */
export async function at<T>(time: number, fn: () => Promise<T>): Promise<T> {
  const real = Date.now;
  Date.now = () => time;
  try {
    return await fn();
  } finally {
    Date.now = real;
  }
}

/** Rows of a query as objects, by the names of its columns. */
export function rowsOf(account: Account, sql: string, ...params: (number | string)[]) {
  const names = /^SELECT (.*?) FROM/s.exec(sql)![1].split(",").map((c) => c.trim());
  return account.db.all(sql, ...params).map((r) =>
    Object.fromEntries(names.map((name, i) => [name, r[i]]))
  );
}

/** Facts of a verified message from alice@sender.example. */
export function deliveryFacts(over: Partial<DeliveryFacts> = {}): DeliveryFacts {
  return {
    remoteIp: "192.0.2.10",
    networks: ["192.0.2.10", "192.0.2.0", "192.0.0.0"],
    ehloDomain: "mx.sender.example",
    mailFromLocalpart: "alice",
    mailFromDomain: "sender.example",
    rcptToLocalpart: "me",
    rcptToDomain: "ours.example",
    msgFromLocalpart: "alice",
    msgFromDomain: "sender.example",
    msgFromOrgDomain: "sender.example",
    ehloValidated: true,
    mailFromValidated: true,
    msgFromValidated: true,
    ehloValidation: "pass",
    mailFromValidation: "pass",
    msgFromValidation: "strict",
    dkimDomains: ["sender.example"],
    isForward: false,
    isMailingList: false,
    receivedTlsVersion: "tls1.3",
    receivedRequireTls: false,
    ...over,
  };
}
