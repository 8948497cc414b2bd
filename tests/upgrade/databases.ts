/** All databases of a data folder: what opens them, and what is in them. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Greylist } from "../../src/delivery/greylist.ts";
import { ScanLearning } from "../../src/delivery/scan_learning.ts";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { JunkFigures } from "../../src/delivery/junk_figures.ts";
import { ObjectStore } from "../../src/jmap/mod.ts";
import { JunkFilter } from "../../src/junk/mod.ts";
import { ListsDatabase } from "../../src/lists/database.ts";
import { Log } from "../../src/log/mod.ts";
import { Queue } from "../../src/queue/mod.ts";
import { Webhooks } from "../../src/queue/webhooks/mod.ts";
import {
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  TlsReports,
  TlsResults,
} from "../../src/reports/mod.ts";
import type { Account } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { Groupware } from "../../src/store/groupware/groupware.ts";
import { Followed } from "../../src/store/import/followed.ts";
import { LoginLog } from "../../src/store/logins/attempts.ts";
import { Shares } from "../../src/store/mailboxes/shares.ts";
import { TlsKeys } from "../../src/store/logins/tls_keys.ts";
import { StsCache } from "../../src/tlspolicy/sts_cache.ts";
import { Sessions } from "../../src/web/login/mod.ts";
import { SeenRequests } from "../../src/web/webapi/seen_requests.ts";
import { Snoozed } from "../../src/web/webmail/scheduled/snoozed.ts";
import { Subscriptions } from "../../src/web/webmail/push/subscriptions.ts";
import { ScheduledRows } from "../../src/web/webmail/sending/rows.ts";
import { outboundTo } from "../support/outbound.ts";
import { testRules } from "../store/setup.ts";

/** Opens a database as the server does, and closes it. `data` is the data folder. */
type Opener = (data: string) => Promise<void>;

const closing = (open: (data: string) => Promise<{ close(): Promise<void> }>): Opener => (data) =>
  open(data).then((o) => o.close());

async function account(
  data: string,
  name: string,
  use: (a: Account) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const accounts = new Accounts(join(data, "accounts"), new Log("store"), () => testRules);
  try {
    const a = await accounts.open(name);
    try {
      await use(a);
    } finally {
      a.close();
    }
  } finally {
    await accounts.closeAll();
  }
}

const openSnoozed = (dataDir: string) =>
  Snoozed.open({
    dataDir,
    accounts: { open: () => Promise.reject(new Error("not opened")) },
    known: () => false,
    tempDir: dataDir,
    log: new Log("webmail"),
  });

/** By path in the data folder; of accounts test1's. */
export const databases: Record<string, Opener> = {
  "accounts/test1/index.db": (data) => account(data, "test1"),
  "accounts/test1/imports.db": (data) =>
    account(data, "test1", async (a) => {
      await (await Followed.open(a, "test1@old.example")).close();
    }),
  "accounts/test1/junkfilter.db": closing((d) => JunkFilter.open(join(d, "accounts", "test1"))),
  "accounts/test1/groupware.db": closing((d) => Groupware.open(join(d, "accounts", "test1"))),
  "queue/index.db": async (data) => {
    const queue = await Queue.open(data, {
      log: new Log("queue"),
      deliverer: { deliver: () => Promise.reject(new Error("not started")) },
      onDsn: () => Promise.resolve(),
    });
    await queue.stop();
  },
  "webhooks/hooks.db": async (data) => {
    const hooks = await Webhooks.open(data, {
      outbound: outboundTo(),
      log: new Log("webhook"),
      retiredPeriod: () => 0,
    });
    await hooks.stop();
  },
  "sessions.db": closing((d) => Sessions.open(d)),
  "logins.db": closing((d) => LoginLog.open(d)),
  "tlskeys.db": closing((d) => TlsKeys.open(d)),
  "shares.db": closing((d) => Shares.open(d)),
  "lists.db": closing((d) => ListsDatabase.open(d)),
  "junkdays.db": closing((d) => JunkFigures.open(d)),
  "jmap.db": closing((d) => ObjectStore.open(d)),
  "webapi.db": closing((d) => SeenRequests.open(d)),
  "scheduled.db": closing((d) => ScheduledRows.open(d)),
  "sieve.db": closing((d) => SieveDatabase.open(d)),
  "greylist.db": closing((d) => Greylist.open(d)),
  "learning.db": closing((d) =>
    ScanLearning.open(
      d,
      { learning: [], teach: () => Promise.resolve() },
      { open: () => Promise.reject(new Error("not opened")) },
      () => false,
    )
  ),
  "snoozed.db": closing((d) => openSnoozed(d)),
  "push.db": closing((d) => Subscriptions.open(d)),
  "mtasts.db": closing((d) => StsCache.open(d)),
  "dmarcrpt.db": closing((d) => DmarcReports.open(d)),
  "dmarcfail.db": closing((d) => FailureReports.open(d)),
  "dmarceval.db": closing((d) => DmarcEvaluations.open(d)),
  "tlsrpt.db": closing((d) => TlsReports.open(d)),
  "tlsrptresult.db": closing((d) => TlsResults.open(d)),
};

/** Paths of the databases in a data folder, but those of the search index, which is made anew. */
export function databasesIn(data: string, below = ""): string[] {
  const found: string[] = [];
  for (const e of Deno.readDirSync(join(data, below))) {
    const path = below === "" ? e.name : `${below}/${e.name}`;
    if (e.isDirectory) found.push(...databasesIn(data, path));
    else if (e.name.endsWith(".db") && e.name !== "fulltext.db") found.push(path);
  }
  return found.sort();
}

export function versionOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  } finally {
    db.close();
  }
}

/** Columns whose values are random, or of the time when the folder was made. */
const changing =
  /^(token|rotated|created|modified|epoch|last_used|fingerprint|certificate|added|submitted|next_attempt|jwk)$/;

/** All rows of a database that says the same whenever it is made. */
export function rowsOf(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    ).all() as { name: string }[];
    return tables.flatMap(({ name }) =>
      db.prepare(`SELECT * FROM "${name}"`).all().map((row) => {
        const kept = Object.entries(row).filter(([column]) => !changing.test(column));
        return `${name} ${
          JSON.stringify(kept, (_k, v) => v instanceof Uint8Array ? v.toHex() : v)
        }`;
      })
    );
  } finally {
    db.close();
  }
}
