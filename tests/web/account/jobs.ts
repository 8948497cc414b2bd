/** Imports in the background for tests: into the account "fred" of a server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log, setLevel } from "../../../src/log/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { ImportJobs, type ImportState } from "../../../src/web/account/import_jobs.ts";
import { startServer, type TestServer } from "../../imap/server.ts";

setLevel("import", "error");

export interface JobsWorld {
  server: TestServer;
  fred: Account;
  jobs: ImportJobs;
  /** A mailbox file of so many messages. */
  file(count: number): Promise<string>;
  /** The states until the end. */
  follow(token: string): Promise<ImportState[]>;
  /** Ends imports as a server that is stopped does, and begins anew. */
  restart(): Promise<void>;
}

export async function withJobs(
  fn: (w: JobsWorld) => Promise<void>,
  options: { quota?: number } = {},
): Promise<void> {
  const server = await startServer({ others: ["fred"], ...options });
  const tempDir = join(server.dir, "import");
  await Deno.mkdir(tempDir);
  const newJobs = () =>
    new ImportJobs({ accounts: server.accounts, tempDir, log: new Log("import") });
  const fred = await server.accounts.open("fred");
  let files = 0;
  const w: JobsWorld = {
    server,
    fred,
    jobs: newJobs(),
    async file(count) {
      const path = join(tempDir, `upload${++files}`);
      const one = (i: number) =>
        `From a@b.example Tue Mar  3 10:20:30 2026\nSubject: m${i}\nMessage-ID: <${i}@x>\n\nbody\n\n`;
      await Deno.writeTextFile(path, Array.from({ length: count }, (_, i) => one(i)).join(""));
      return path;
    },
    async follow(token) {
      const states: ImportState[] = [];
      const { signal } = new AbortController();
      for await (const s of w.jobs.follow("fred", token, signal)) states.push(s);
      return states;
    },
    async restart() {
      await w.jobs.close();
      w.jobs = newJobs();
    },
  };
  try {
    await fn(w);
    assert.deepEqual([...Deno.readDirSync(tempDir)], []);
  } finally {
    await w.jobs.close();
    fred.close();
    await server.stop();
  }
}
