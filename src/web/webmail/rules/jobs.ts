/**
 * Applying rules to a mailbox that is there already: in the background, with progress, and back again. What files and
 * marks is done; nothing is sent, refused or deleted for good.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Log } from "../../../log/mod.ts";
import { flagsOf, mailboxFor } from "../../../delivery/sieve/filing.ts";
import type { Action, SieveScript } from "../../../sieve/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { placesOf } from "../../../store/messages/listing.ts";
import { HttpError } from "../../http/mod.ts";
import { type Includes, type Ran, runOnMessages } from "./running.ts";

/** What was done to a message, to take it back. */
interface Change {
  id: number;
  from: MailboxId;
  /** Where it is now, if it was moved. */
  to: MailboxId | undefined;
  /** Flags and keywords that it got. */
  flags: number;
  keywords: string[];
  /** A copy that was made: mailbox and uid. */
  copies: { mailboxId: MailboxId; uid: number }[];
}

export interface RuleJob {
  account: string;
  done: number;
  total: number;
  changed: number;
  finished: boolean;
  error: string | null;
  changes: Change[];
  stopped: boolean;
  until: number;
}

/** Milliseconds that a finished job can be undone. */
const lifetime = 10 * 60_000;
/** Jobs that are known of all accounts together. */
const maxJobs = 100;

export class RuleJobs {
  readonly #jobs = new Map<string, RuleJob>();

  get(account: string, id: string): RuleJob {
    const job = this.#jobs.get(id);
    if (!job || job.account !== account || job.until < Date.now()) {
      throw new HttpError(404, "this can't be undone or watched any more");
    }
    return job;
  }

  /** Begins; the account is open for as long as it takes. */
  start(
    account: Account,
    mailboxId: MailboxId,
    script: SieveScript,
    includes: Includes,
    log: Log,
  ): string {
    for (const [id, j] of this.#jobs) if (j.until < Date.now()) this.#jobs.delete(id);
    if ([...this.#jobs.values()].some((j) => j.account === account.name && !j.finished)) {
      throw new HttpError(409, "rules are being applied already");
    }
    if (this.#jobs.size >= maxJobs) this.#jobs.delete(this.#jobs.keys().next().value!);
    const uids = account.uids(mailboxId);
    const id = crypto.randomUUID();
    const job: RuleJob = {
      account: account.name,
      done: 0,
      total: uids.length,
      changed: 0,
      finished: false,
      error: null,
      changes: [],
      stopped: false,
      until: Infinity,
    };
    this.#jobs.set(id, job);
    account.acquire();
    this.#run(account, mailboxId, uids, script, includes, job)
      .catch((err) => {
        if (err instanceof Stopped) return;
        job.error = (err as Error).message;
        log.error("applying rules", { err: err as Error, account: account.name });
      })
      .finally(() => {
        job.finished = true;
        job.until = Date.now() + lifetime;
        account.close();
      });
    return id;
  }

  async #run(
    account: Account,
    mailboxId: MailboxId,
    uids: Uint32Array,
    script: SieveScript,
    includes: Includes,
    job: RuleJob,
  ): Promise<void> {
    await runOnMessages(account, mailboxId, uids, script, includes, async (ran) => {
      if (job.stopped) throw new Stopped();
      const change = await carryOut(account, mailboxId, ran);
      job.done++;
      if (!change) return;
      job.changed++;
      job.changes.push(change);
    });
  }

  /** Ends a job that runs, and takes back what it did. */
  async undo(account: Account, id: string): Promise<number> {
    const job = this.get(account.name, id);
    job.stopped = true;
    while (!job.finished) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#jobs.delete(id);
    let count = 0;
    for (const c of job.changes.toReversed()) if (await takeBack(account, c)) count++;
    return count;
  }
}

class Stopped extends Error {}

/** What a result means for a message that is there. */
export function localActions(
  account: Account,
  mailboxId: MailboxId,
  actions: readonly Action[],
): { target: string | undefined; copies: string[]; flags: ReturnType<typeof flagsOf> } {
  const here = account.mailbox(mailboxId)?.name;
  const kept = actions.find((a) => a.kind === "keep");
  const filed = actions.filter((a) => a.kind === "fileinto");
  const names = filed.map((a) =>
    account.mailboxByName(mailboxFor(account, a.filing))?.name ?? mailboxFor(account, a.filing)
  );
  const elsewhere = [...new Set(names)].filter((n) => n !== here);
  const stays = kept !== undefined || names.includes(here ?? "") || elsewhere.length === 0;
  const flags = flagsOf([...(kept?.flags ?? []), ...filed.flatMap((a) => a.filing.flags ?? [])]);
  return stays
    ? { target: undefined, copies: elsewhere, flags }
    : { target: elsewhere[0], copies: elsewhere.slice(1), flags };
}

async function mailboxNamed(account: Account, name: string): Promise<MailboxId> {
  const found = account.mailboxByName(name);
  return found ? found.id : (await account.createMailbox(name)).mailbox.id;
}

async function carryOut(
  account: Account,
  mailboxId: MailboxId,
  ran: Ran,
): Promise<Change | undefined> {
  const { target, copies, flags } = localActions(account, mailboxId, ran.result.actions);
  const newFlags = flags.flags & ~ran.flags;
  const had = new Set(ran.keywords.split(" "));
  const keywords = flags.keywords.filter((k) => !had.has(k));
  if (target === undefined && copies.length === 0 && newFlags === 0 && keywords.length === 0) {
    return undefined;
  }
  const uids = [ran.uid];
  const change: Change = {
    id: ran.id,
    from: mailboxId,
    to: undefined,
    flags: newFlags,
    keywords,
    copies: [],
  };
  if (newFlags !== 0 || keywords.length > 0) {
    await account.storeFlags(mailboxId, uids, "add", newFlags, keywords);
  }
  for (const name of copies) {
    const to = await mailboxNamed(account, name);
    const { toUids: made } = await account.copy(mailboxId, uids, to);
    for (const uid of made) change.copies.push({ mailboxId: to, uid });
  }
  if (target !== undefined) {
    change.to = await mailboxNamed(account, target);
    await account.move(mailboxId, uids, change.to);
  }
  return change;
}

async function takeBack(account: Account, change: Change): Promise<boolean> {
  const [place] = placesOf(account.db, [change.id]);
  // Somebody has moved or deleted it since.
  if (!place || place.mailboxId !== (change.to ?? change.from) || !account.mailbox(change.from)) {
    return false;
  }
  if (change.to !== undefined) await account.move(change.to, [place.uid], change.from);
  const [back] = placesOf(account.db, [change.id]);
  if (back && (change.flags !== 0 || change.keywords.length > 0)) {
    await account.storeFlags(change.from, [back.uid], "remove", change.flags, change.keywords);
  }
  for (const { mailboxId, uid } of change.copies) {
    if (account.mailbox(mailboxId)) {
      await account.expunge(mailboxId, [uid], undefined, { force: true });
    }
  }
  return true;
}
