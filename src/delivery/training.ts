/**
 * Training of the junk filter: messages that get or lose $Junk or $NotJunk are learned, each exactly once for
 * its state, in the background.
 *
 * The account reports which messages may have changed; a column holds the state that each was trained in. A
 * batch is saved in the filter first and then in the column, so a crash in between can make a message count
 * twice, but never be forgotten.
 *
 * @module
 */
import {
  forgetTrained,
  markedMessages,
  noteTrained,
  trainableMessage,
} from "../store/messages/trained.ts";
import type { Config } from "../config/mod.ts";
import {
  type JunkFilter,
  type JunkParams,
  junkParams,
  type LabelledWords,
  type MessageText,
  messageWords,
  Trained,
  type TrainedState,
  trainingSteps,
} from "../junk/mod.ts";
import type { Log } from "../log/mod.ts";
import { countPanic } from "../metrics/mod.ts";
import type { Account } from "../store/account/account.ts";
import { Flag } from "../store/types.ts";
import { JunkFilters } from "./junk_filters.ts";
import { explainReason } from "./explained.ts";
import { type JunkEvent, setAsJunk } from "./junk_figures.ts";
import { storedMessageText } from "./message_text.ts";

/** The account has no junk filter in its configuration. */
export class NoJunkFilterError extends Error {
  override name = "NoJunkFilterError";
}

/** Messages that a filter has learned from, and waiting ones. */
export interface TrainingFigures {
  hams: number;
  spams: number;
  waiting: number;
}

/** Messages saved together. */
const batchSize = 100;
interface Pending {
  ids: Set<number>;
  /** Training or retraining: one at a time, as both read and write the trained state of messages. */
  running: Promise<unknown> | undefined;
}

/** Trains the filters of all accounts. */
export class Trainer {
  /** The open filters; delivery classifies with them. */
  readonly filters = new JunkFilters();
  /** Called for messages that their user corrects. */
  onCorrected: ((account: string, event: JunkEvent) => void) | undefined;
  readonly #config: Config;
  readonly #log: Log;
  readonly #accounts = new Map<string, Pending>();
  #stopped = false;
  readonly #stopping = new AbortController();

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Listens to an opened account. */
  attach(account: Account): void {
    account.onTraining = (ids) => {
      if (this.#params(account.name) === undefined || this.#stopped) return;
      const p = this.#pending(account.name);
      for (const id of ids) p.ids.add(id);
      this.#start(account, p);
    };
  }

  #pending(name: string): Pending {
    let p = this.#accounts.get(name);
    if (!p) this.#accounts.set(name, p = { ids: new Set(), running: undefined });
    return p;
  }

  #start(account: Account, pending: Pending): void {
    pending.running ??= this.#run(account.acquire(), pending).catch((err) => {
      countPanic("junk");
      this.#log.error("training junk filter", { account: account.name, err });
    }).finally(() => {
      pending.running = undefined;
      account.close();
    });
  }

  /** Parameters of the account's filter; undefined if it has none. */
  #params(account: string): JunkParams | undefined {
    const filter = this.#config.account(account)?.JunkFilter;
    return filter && junkParams(filter.Params);
  }

  async #run(account: Account, pending: Pending): Promise<void> {
    // Messages that arrive at the same moment are trained in one batch.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const params = this.#params(account.name);
    if (!params) return;
    await this.filters.use(account.dir, params, async (filter) => {
      while (pending.ids.size > 0) {
        const batch: number[] = [];
        for (const id of pending.ids) {
          pending.ids.delete(id);
          if (batch.push(id) === batchSize) break;
        }
        const corrected = await trainBatch(account, filter, params, batch);
        for (const event of corrected) this.onCorrected?.(account.name, event);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    });
  }

  /**
   * Rebuilds the account's filter from all its messages with $Junk or $NotJunk. Meanwhile the old one answers;
   * messages marked meanwhile are trained afterwards.
   * @param progress is called from time to time with the number of messages done
   * @throws NoJunkFilterError; an AbortError if the server stops
   */
  async retrain(
    account: Account,
    progress: (done: number, total: number) => void = () => {},
  ): Promise<{ hams: number; spams: number }> {
    const params = this.#params(account.name);
    if (!params) {
      throw new NoJunkFilterError(`account ${account.name} has no JunkFilter in its configuration`);
    }
    const p = this.#pending(account.name);
    while (p.running) await p.running;
    const retraining = this.filters.use(
      account.dir,
      params,
      (filter) => this.#rebuild(account, filter, params, progress),
    );
    p.running = retraining.then(() => {}, () => {}).finally(() => {
      p.running = undefined;
      if (p.ids.size > 0 && !this.#stopped) this.#start(account, p);
    });
    return await retraining;
  }

  async #rebuild(
    account: Account,
    filter: JunkFilter,
    params: JunkParams,
    progress: (done: number, total: number) => void,
  ): Promise<{ hams: number; spams: number }> {
    // Their training state is fixed now: later changes are trained as differences.
    const rows = markedMessages(account.db);
    const states: { id: number; state: TrainedState }[] = [];
    const log = this.#log;
    function* labelled(): Generator<LabelledWords> {
      let done = 0;
      for (const { id, emailId, flags } of rows) {
        if (++done % 100 === 0) progress(done, rows.length);
        const ham = (flags & Flag.NotJunk) !== 0;
        let words: Set<string>;
        try {
          words = messageWords(storedMessageText(account, emailId), params);
        } catch (err) {
          // Expunged since, or its file can't be read.
          log.debug("message left out of retraining", { id, err: err as Error });
          continue;
        }
        states.push({ id, state: ham ? Trained.Ham : Trained.Spam });
        yield { ham, words };
      }
    }
    const result = await filter.rebuild(labelled(), this.#stopping.signal);
    await account.writer.write(() => {
      forgetTrained(account.db);
      noteTrained(account.db, states);
    });
    return result;
  }

  /** The training figures of the account's filter; undefined if it has none. */
  async figures(account: Account): Promise<TrainingFigures | undefined> {
    const params = this.#params(account.name);
    if (!params) return undefined;
    const waiting = this.#accounts.get(account.name)?.ids.size ?? 0;
    return await this.filters.use(
      account.dir,
      params,
      ({ hams, spams }) => ({ hams, spams, waiting }),
    );
  }

  /** Resolves when nothing is being trained. */
  async idle(): Promise<void> {
    for (const p of this.#accounts.values()) while (p.running) await p.running;
  }

  /** Finishes pending work and accepts nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    await this.idle();
    await this.filters.closeAll();
  }
}

async function trainBatch(
  account: Account,
  filter: JunkFilter,
  params: JunkParams,
  batch: readonly number[],
): Promise<JunkEvent[]> {
  const states: { id: number; state: TrainedState }[] = [];
  const corrected: JunkEvent[] = [];
  for (const id of batch) {
    const message = trainableMessage(account.db, id);
    if (!message) continue;
    const { flags, emailId } = message;
    const steps = trainingSteps(
      { junk: (flags & Flag.Junk) !== 0, notJunk: (flags & Flag.NotJunk) !== 0 },
      message.trained as TrainedState,
    );
    if (!steps) continue;
    let words: Set<string>;
    let text: MessageText;
    try {
      text = storedMessageText(account, emailId);
      words = messageWords(text, params);
    } catch (err) {
      // Gone meanwhile, or damaged: the others are still trained.
      account.log.debug("message left out of training", { id, err: err as Error });
      continue;
    }
    if (steps.untrain !== undefined) filter.untrain(steps.untrain, words);
    if (steps.train !== undefined) {
      filter.train(steps.train, words);
      const event = correction(text, steps.train);
      if (event !== undefined) corrected.push(event);
    }
    states.push({ id, state: steps.state });
    // The words of a message take a millisecond: others run in between.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (states.length === 0) return corrected;
  await filter.flush();
  await account.writer.write(() => {
    noteTrained(account.db, states);
  });
  return corrected;
}

/**
 * How a label corrects the placement of a message at delivery; undefined if the placement was right, or it did
 * not come by SMTP.
 */
function correction(text: MessageText, ham: boolean): JunkEvent | undefined {
  let value = "";
  for (const [name, field] of text.headers) {
    if (name.toLowerCase() !== "x-mox-reason") continue;
    // The first field is ours: it was added in front.
    value = field;
    break;
  }
  const { reason } = explainReason(value);
  if (reason === "") return undefined;
  if (ham) return setAsJunk(reason) ? "falseAlarms" : undefined;
  return setAsJunk(reason) ? undefined : "missed";
}
