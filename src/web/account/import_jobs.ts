/**
 * Running imports, one at a time per account. They continue when the page that started them is closed, and are
 * found again by their token. When the server stops, what was imported so far is removed again.
 *
 * @module
 */
import { removeFile } from "../../platform/files.ts";
import type { Log } from "../../log/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import {
  hasMessageId,
  importMessages,
  type ImportOptions,
  type ImportProgress,
  partDone,
} from "../../store/import/import.ts";
import {
  broughtBefore,
  type ImapOptions,
  ImapSource,
  rememberBrought,
} from "../../store/import/imap.ts";
import type { Source } from "../../store/import/sources.ts";
import { archiveSource, lookThrough } from "../../store/import/archive/source.ts";
import { openArchive } from "../../store/import/archive/open.ts";
import { StoreError } from "../../store/types.ts";
import { HttpError } from "../http/mod.ts";

/** Milliseconds for which the state of a finished import is available. */
const keep = 3600_000;

/** State of an import. */
export interface ImportState {
  token: string;
  phase: "reading" | "importing" | "done" | "failed" | "aborted";
  /** Files of the archive that were read. */
  files: number;
  imported: number;
  duplicates: number;
  /** Progress from 0 to 1; null if unknown. */
  part: number | null;
  /** Messages by mailbox. */
  mailboxes: [string, number][];
  /** The first ones, and how many there are. */
  warnings: string[];
  warningCount: number;
  /** Why it failed. */
  error: string;
}

interface Job {
  account: string;
  state: ImportState;
  abort: AbortController;
  /** The user aborted it, not the server. */
  unwanted: boolean;
  done: Promise<void>;
  ended: number | undefined;
  watchers: Set<() => void>;
}

/** Warnings that are shown. */
const maxWarnings = 200;

export interface ImportJobOptions {
  accounts: Accounts;
  tempDir: string;
  log: Log;
}

/** What to import, and how. */
export interface ImportRequest {
  account: string;
  /** Parent of the archive's mailboxes; "" for none. */
  mailbox: string;
  skipDuplicates: boolean;
}

export class ImportJobs {
  readonly #o: ImportJobOptions;
  readonly #jobs = new Map<string, Job>();

  constructor(options: ImportJobOptions) {
    this.#o = options;
  }

  /** An account's running import; it may not start another one. */
  running(account: string): ImportState | undefined {
    for (const j of this.#jobs.values()) {
      if (j.account === account && j.ended === undefined) return j.state;
    }
    return undefined;
  }

  /** Imports an uploaded file, which is removed at the end. @returns its token. @throws HttpError 409 */
  startArchive(request: ImportRequest, path: string, name: string): string {
    return this.#start(request, async (job, account) => {
      try {
        const archive = await openArchive(path, name);
        const contents = await lookThrough(archive, {
          signal: job.abort.signal,
          progress: (files) => this.#change(job, { files }),
        });
        await this.#take(job, account, request, archiveSource(archive, contents), {
          part: (p) => contents.bytes > 0 ? partDone(p, contents.bytes) : undefined,
        });
      } catch (err) {
        // Nothing of it remains.
        this.#change(job, { imported: 0, mailboxes: [] });
        throw err;
      } finally {
        removeFile(path);
      }
    });
  }

  /**
   * Imports from another server. Messages imported before the connection breaks or the server is stopped are kept, and
   * the next import continues from there.
   * @throws HttpError 409
   */
  startImap(request: ImportRequest, options: ImapOptions): string {
    return this.#start(request, async (job, account) => {
      const brought = broughtBefore(account, options);
      const before = structuredClone(brought);
      const source = new ImapSource(
        options,
        brought,
        job.abort.signal,
        (id) => hasMessageId(account, id),
      );
      try {
        await this.#take(job, account, request, source.messages(), {
          part: () => source.part,
          keepOnFailure: () => !job.unwanted,
          // Only what is durable: messages lost with a batch are fetched again.
          stored: () => rememberBrought(account, options, brought),
        });
        await rememberBrought(account, options, brought);
      } catch (err) {
        if (!job.unwanted) throw err;
        // What was imported has been removed.
        await rememberBrought(account, options, before);
        throw err;
      }
    });
  }

  /** Runs an import in the background. @throws HttpError 409 if one is running */
  #start(
    request: ImportRequest,
    run: (job: Job, account: Account) => Promise<void>,
  ): string {
    this.#forget();
    if (this.running(request.account)) {
      throw new HttpError(409, "an import is running already: wait for its end, or abort it");
    }
    const token = crypto.randomUUID();
    const job: Job = {
      account: request.account,
      state: {
        token,
        phase: "reading",
        files: 0,
        imported: 0,
        duplicates: 0,
        part: null,
        mailboxes: [],
        warnings: [],
        warningCount: 0,
        error: "",
      },
      abort: new AbortController(),
      unwanted: false,
      done: Promise.resolve(),
      ended: undefined,
      watchers: new Set(),
    };
    this.#jobs.set(token, job);
    job.done = this.#run(job, run);
    return token;
  }

  async #run(job: Job, run: (job: Job, account: Account) => Promise<void>): Promise<void> {
    const log = this.#o.log.with({ account: job.account });
    let account: Account | undefined;
    try {
      account = await this.#o.accounts.open(job.account);
      log.info("import begins", { token: job.state.token });
      await run(job, account);
      this.#change(job, { phase: "done" });
      log.info("import done", { imported: job.state.imported });
    } catch (err) {
      if (job.unwanted) {
        this.#change(job, { phase: "aborted", imported: 0, mailboxes: [] });
        log.info("import aborted");
      } else {
        const text = err instanceof StoreError && err.code === "overQuota"
          ? "there is not enough room in the account"
          : err instanceof Error
          ? err.message
          : String(err);
        this.#change(job, { phase: "failed", error: text });
        log.info("import failed", { err: err as Error });
      }
    } finally {
      account?.close();
      job.ended = Date.now();
      for (const w of job.watchers) w();
    }
  }

  async #take(
    job: Job,
    account: Account,
    request: ImportRequest,
    source: Source,
    more: {
      /** Progress from 0 to 1, as far as known. */
      part: (progress: ImportProgress) => number | undefined;
    } & Pick<ImportOptions, "keepOnFailure" | "stored">,
  ): Promise<void> {
    this.#change(job, { phase: "importing" });
    const { part, ...options } = more;
    const progress = (progress: ImportProgress) => {
      const done = part(progress);
      this.#change(job, {
        imported: progress.imported,
        duplicates: progress.duplicates,
        part: done === undefined ? null : Math.min(1, done),
        mailboxes: [...progress.mailboxes],
        warnings: progress.warnings.slice(0, maxWarnings),
        warningCount: progress.warningCount,
      });
    };
    const result = await importMessages(account, source, {
      mailbox: request.mailbox,
      tempDir: this.#o.tempDir,
      skipDuplicates: request.skipDuplicates,
      signal: job.abort.signal,
      progress,
      ...options,
    });
    progress(result);
  }

  #change(job: Job, change: Partial<ImportState>): void {
    Object.assign(job.state, change);
    for (const w of job.watchers) w();
  }

  #find(account: string, token: string): Job {
    const job = this.#jobs.get(token);
    if (job?.account !== account) throw new HttpError(404, "this import is not known (any more)");
    return job;
  }

  /** The state of an import, now and at each change until its end. @throws HttpError 404 */
  async *follow(account: string, token: string, signal: AbortSignal): AsyncGenerator<ImportState> {
    const job = this.#find(account, token);
    let wake: (() => void) | undefined;
    const watcher = () => wake?.();
    job.watchers.add(watcher);
    signal.addEventListener("abort", watcher);
    try {
      for (;;) {
        yield structuredClone(job.state);
        if (job.ended !== undefined || signal.aborted) return;
        await new Promise<void>((resolve) => wake = resolve);
        // Consecutive changes are merged.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      job.watchers.delete(watcher);
      signal.removeEventListener("abort", watcher);
    }
  }

  /** Aborts an import; resolves when what it had imported is removed. @throws HttpError 404 */
  async abort(account: string, token: string): Promise<void> {
    const job = this.#find(account, token);
    job.unwanted = true;
    job.abort.abort(new Error("the import was aborted"));
    await job.done;
  }

  #forget(): void {
    for (const [token, j] of this.#jobs) {
      if (j.ended !== undefined && Date.now() - j.ended > keep) this.#jobs.delete(token);
    }
  }

  /** Aborts all, and waits until what they had imported is removed. */
  async close(): Promise<void> {
    for (const j of this.#jobs.values()) j.abort.abort(new Error("the server stops"));
    await Promise.all([...this.#jobs.values()].map((j) => j.done));
  }
}
