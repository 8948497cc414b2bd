/**
 * Training of the junk filter: messages that get or lose $Junk or $NotJunk are learned, each exactly
 * once for its state, in the background.
 *
 * The account tells which messages may have changed; the state they were trained in is a column of
 * theirs. A batch is saved in the filter first and in the column then, so a crash between both can make
 * a message count twice, never be forgotten.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import {
  JunkFilter,
  type JunkParams,
  type MessageText,
  messageWords,
  type TrainedState,
  trainingSteps,
} from "../junk/mod.ts";
import { junkParams } from "../junk/mod.ts";
import type { Log } from "../log/mod.ts";
import { decodeCharset } from "../mail/charset.ts";
import { splitHeader } from "../mail/header.ts";
import { leaves, unpackStructure } from "../mail/structure.ts";
import { decodeTransferEncoding } from "../mail/transfer.ts";
import { decodeWords } from "../mail/words.ts";
import { countPanic } from "../metrics/mod.ts";
import type { Account } from "../store/account.ts";
import { Flag } from "../store/types.ts";

/** Messages that are saved together. */
const batchSize = 100;
/** Bytes of a header and of a part that are looked at; the filter has bounds of its own above. */
const maxHeaderBytes = 64 * 1024;
const maxPartBytes = 256 * 1024;

/** What the filter sees of a stored message. @throws file errors if the message is gone. */
export function storedMessageText(account: Account, emailId: number): MessageText {
  const row = account.db.get("SELECT structure FROM emails WHERE id = ?", emailId);
  const root = unpackStructure(row?.[0] ?? '[0,0,0,0,"text/plain"]');
  const reader = account.openMessage(emailId);
  try {
    const header = reader.read(0, Math.min(root.bodyOffset, maxHeaderBytes));
    const texts: { html: boolean; text: string }[] = [];
    const attachments: string[] = [];
    for (const p of leaves(root)) {
      const name = p.dispositionParams?.filename ?? p.params.name;
      if (name) attachments.push(name);
      if (p.type !== "text" || p.disposition === "attachment") continue;
      const raw = reader.read(p.bodyOffset, Math.min(p.endOffset, p.bodyOffset + maxPartBytes));
      const bytes = decodeTransferEncoding(raw, p.encoding);
      if (!bytes) continue;
      texts.push({
        html: p.subtype === "html",
        text: decodeCharset(bytes, p.params.charset ?? "utf-8"),
      });
    }
    return {
      headers: splitHeader(header).map((f) => [f.name, decodeWords(f.value)] as const),
      texts,
      attachments,
    };
  } finally {
    reader.close();
  }
}

interface Pending {
  ids: Set<number>;
  running: Promise<void> | undefined;
}

/** Trains the filters of all accounts. */
export class Trainer {
  readonly #config: Config;
  readonly #log: Log;
  readonly #accounts = new Map<string, Pending>();
  #stopped = false;

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Listens to an account that has been opened. */
  attach(account: Account): void {
    account.onTraining = (ids) => {
      if (this.#params(account.name) === undefined || this.#stopped) return;
      let p = this.#accounts.get(account.name);
      if (!p) this.#accounts.set(account.name, p = { ids: new Set(), running: undefined });
      for (const id of ids) p.ids.add(id);
      const pending = p;
      p.running ??= this.#run(account.acquire(), pending).catch((err) => {
        countPanic("junk");
        this.#log.error("training junk filter", { account: account.name, err });
      }).finally(() => {
        pending.running = undefined;
        account.close();
      });
    };
  }

  /** Parameters of the account's filter; undefined if it has none. */
  #params(account: string): JunkParams | undefined {
    const filter = this.#config.account(account)?.JunkFilter;
    return filter && junkParams(filter.Params);
  }

  async #run(account: Account, pending: Pending): Promise<void> {
    // What arrives in the same moment is trained in one batch.
    await new Promise((resolve) => setTimeout(resolve, 0));
    let filter: JunkFilter | undefined;
    try {
      while (pending.ids.size > 0) {
        const batch = [...pending.ids].slice(0, batchSize);
        for (const id of batch) pending.ids.delete(id);
        const states: { id: number; state: TrainedState }[] = [];
        for (const id of batch) {
          const row = account.db.get(
            "SELECT flags, trained, email_id FROM messages WHERE id = ? AND expunged = 0",
            id,
          );
          if (!row) continue;
          const [flags, trained, emailId] = row as [number, TrainedState, number];
          const steps = trainingSteps(
            { junk: (flags & Flag.Junk) !== 0, notJunk: (flags & Flag.NotJunk) !== 0 },
            trained,
          );
          if (!steps) continue;
          const params = this.#params(account.name);
          if (!params) return;
          filter ??= await JunkFilter.open(account.dir, params);
          const words = messageWords(storedMessageText(account, emailId), params);
          if (steps.untrain !== undefined) filter.untrain(steps.untrain, words);
          if (steps.train !== undefined) filter.train(steps.train, words);
          states.push({ id, state: steps.state });
          // Words of a message take a millisecond: others run in between.
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        if (states.length === 0) continue;
        await filter!.flush();
        await account.writer.write(() => {
          for (const { id, state } of states) {
            account.db.run("UPDATE messages SET trained = ? WHERE id = ?", state, id);
          }
        });
      }
    } finally {
      await filter?.close();
    }
  }

  /** Resolves when nothing is being trained. */
  async idle(): Promise<void> {
    for (const p of this.#accounts.values()) while (p.running) await p.running;
  }

  /** Finishes what is pending and takes nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.idle();
  }
}
