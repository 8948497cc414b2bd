/**
 * Importing the mail of many accounts in the background, one move at a time: its state, and its report.
 * Imported mail stays when it is stopped, and the next move continues from there.
 *
 * @module
 */
import { AdminError } from "../errors.ts";
import type { MovedMail, MoveOptions } from "./mail.ts";

/** Warnings kept per account. */
const maxWarnings = 50;

/** State of an account, over all rounds. */
export interface AccountMove {
  account: string;
  state: "waiting" | "running" | "done" | "failed";
  imported: number;
  duplicates: number;
  /** Messages changed or removed as on the other server. */
  followed: number;
  /** Why the last round was incomplete; "" if it was complete. */
  error: string;
  warnings: string[];
  warningCount: number;
}

/** State of a move. */
export interface MoveState {
  /** Its source, as text. */
  what: string;
  phase: "running" | "waiting" | "stopped" | "done" | "failed";
  began: number;
  /** Milliseconds since the epoch; 0 while it runs. */
  ended: number;
  /** Finished rounds. */
  rounds: number;
  /** Start of the next round; 0 without one. */
  next: number;
  accounts: AccountMove[];
  /** Why the whole move failed. */
  error: string;
}

/** A move to start. */
export interface MovePlan {
  what: string;
  accounts: readonly string[];
  /** Milliseconds between rounds; 0 for one round. */
  again: number;
  run(o: Pick<MoveOptions, "signal" | "begun" | "progress" | "done">): Promise<MovedMail[]>;
}

/** The moves of a server. */
export class MoveJob {
  #state: MoveState | undefined;
  #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  /** The current or last move; undefined if there was none since the server started. */
  get state(): MoveState | undefined {
    return this.#state;
  }

  /** @throws AdminError while one is running */
  start(plan: MovePlan): void {
    if (this.#state?.ended === 0) {
      throw new AdminError("mail is being brought already: wait for its end, or stop it");
    }
    const state: MoveState = {
      what: plan.what,
      phase: "running",
      began: Date.now(),
      ended: 0,
      rounds: 0,
      next: 0,
      accounts: [...new Set(plan.accounts)].map((account) => ({
        account,
        state: "waiting",
        imported: 0,
        duplicates: 0,
        followed: 0,
        error: "",
        warnings: [],
        warningCount: 0,
      })),
      error: "",
    };
    this.#state = state;
    this.#abort = new AbortController();
    this.#ended = this.#rounds(state, plan, this.#abort.signal);
  }

  /** Stops the current move; imported mail stays. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async #rounds(state: MoveState, plan: MovePlan, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        state.phase = "running";
        state.next = 0;
        await this.#round(state, plan, signal);
        state.rounds++;
        if (plan.again === 0) break;
        state.phase = "waiting";
        state.next = Date.now() + plan.again;
        await pause(plan.again, signal);
        signal.throwIfAborted();
      }
      state.phase = state.accounts.some((a) => a.state === "failed") ? "failed" : "done";
    } catch (err) {
      state.phase = signal.aborted ? "stopped" : "failed";
      if (!signal.aborted) state.error = err instanceof Error ? err.message : String(err);
      for (const a of state.accounts) if (a.state === "running") a.state = "waiting";
    }
    state.next = 0;
    state.ended = Date.now();
  }

  async #round(state: MoveState, plan: MovePlan, signal: AbortSignal): Promise<void> {
    const byName = new Map(state.accounts.map((a) => [a.account, a]));
    /** Before this round. */
    const before = new Map(state.accounts.map((a) => [a.account, a.imported]));
    await plan.run({
      signal,
      begun(account) {
        const a = byName.get(account);
        if (a) a.state = "running";
      },
      progress(account, imported) {
        const a = byName.get(account);
        if (a) a.imported = before.get(account)! + imported;
      },
      done(mail) {
        const a = byName.get(mail.account);
        if (!a) return;
        a.state = mail.error === "" ? "done" : "failed";
        if (mail.error === "") a.imported = before.get(mail.account)! + mail.imported;
        // Each Maildir of an account counts.
        before.set(mail.account, a.imported);
        a.duplicates = mail.duplicates;
        a.followed += mail.followed;
        a.error = mail.error;
        a.warningCount = mail.warningCount;
        a.warnings = mail.warnings.slice(0, maxWarnings);
      },
    });
  }
}

/** Waits, at most until the signal. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
