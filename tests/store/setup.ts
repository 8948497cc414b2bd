/** An account in a temporary folder, checked for consistency when it is closed. */
import { join } from "node:path";
import { Log, setLevel } from "../../src/log/mod.ts";
import { type Account, type AccountRules, consistency } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { SpecialUse } from "../../src/store/types.ts";

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

/** Runs with a new account; closing it checks counts and files. */
export async function withStore(
  fn: (s: TestStore) => Promise<void>,
  rules: Partial<AccountRules> = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
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
