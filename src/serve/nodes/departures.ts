/**
 * Accounts that move from this node to another: copied while in use, stopped while the last changes are copied,
 * and then handed over by one change of domains.conf. See src/nodes/moves.ts.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { CallError, callNode } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { connectNode, NodeAway } from "../../nodes/link.ts";
import { type Move, noteMove, openMoves } from "../../nodes/moves.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { dropAccountRows, takeAccountRows } from "../../store/database/account_rows.ts";
import { startFeed } from "../../store/follow/feed_client.ts";
import type { OpenLogins } from "../open_logins.ts";
import { putAside } from "./arrivals.ts";
import type { ConfigSync } from "./config_sync.ts";
import { movedDatabases } from "./moved_rows.ts";

/** Milliseconds for sessions to end when the account stops; if exceeded, the account stays here. */
const stopPatience = 20_000;
/** Milliseconds for the last changes. */
const lastPatience = 20_000;
/** Milliseconds until a failed move is tried again. */
const retryAfter = 5_000;
/** Milliseconds that a node may need to activate a copy. */
const takePatience = 120_000;
/** Bytes of a node's answer when an account is announced to it. */
const maxLine = 10_000;

export interface DepartureOptions {
  config: Config;
  accounts: Accounts;
  key: NodeKey;
  log: Log;
  sync: ConfigSync;
  openLogins: () => OpenLogins;
}

/** State of a move. */
export interface MoveState extends Move {
  /** The other node has it by domains.conf; it still has to activate the copy. */
  decided: boolean;
  /** Why it makes no progress; "" while it does. */
  error: string;
}

/** A move that can't be started, or was cancelled. */
export class MoveError extends Error {
  override name = "MoveError";
}

export class Departures {
  readonly #o: DepartureOptions;
  readonly #moves = new Map<string, { move: Move; error: string; stop: AbortController }>();
  readonly #running = new Map<string, Promise<void>>();
  #stopped = false;

  private constructor(options: DepartureOptions) {
    this.#o = options;
  }

  /** Loads unfinished moves. Accounts that belong to the other node by domains.conf are not opened here again. */
  static async open(options: DepartureOptions): Promise<Departures> {
    const d = new Departures(options);
    for (const move of await openMoves(options.config.dataDir)) d.#add(move);
    return d;
  }

  #add(move: Move): void {
    this.#moves.set(move.account, { move, error: "", stop: new AbortController() });
    if (this.#decided(move)) this.#o.accounts.leave(move.account);
  }

  /** Whether the account is at the other node by this one's domains.conf: the only place that decides it. */
  #decided({ account }: Move): boolean {
    const { config } = this.#o;
    return config.account(account) !== undefined && config.nodeOf(account) !== config.static.Node;
  }

  /** Continues unfinished moves. */
  start(): void {
    for (const name of this.#moves.keys()) this.#run(name, () => {});
  }

  /** Stops copying; the next start continues. */
  async quiesce(): Promise<void> {
    this.#stopped = true;
    for (const m of this.#moves.values()) m.stop.abort();
    await Promise.all(this.#running.values());
  }

  /** Moves in progress. */
  states(): MoveState[] {
    return [...this.#moves.values()].map(({ move, error }) => ({
      ...move,
      decided: this.#decided(move),
      error,
    }));
  }

  /**
   * Moves an account.
   * @param print receives progress messages
   * @throws MoveError
   */
  async move(account: string, to: string, print: (text: string) => void): Promise<void> {
    await this.#note(account, to);
    await this.#run(account, print);
    const left = this.#moves.get(account);
    if (left !== undefined) throw new MoveError(left.error || "the server is stopping; it goes on");
  }

  /** Starts to move an account; resolves when that is on disk. @throws MoveError */
  async begin(account: string, to: string): Promise<void> {
    await this.#note(account, to);
    this.#run(account, () => {});
  }

  async #note(account: string, to: string): Promise<void> {
    const { config } = this.#o;
    if (this.#stopped) throw new MoveError("the server is stopping");
    const under = this.#moves.get(account);
    if (under === undefined) {
      if (config.account(account) === undefined) throw new MoveError(`there is no ${account}`);
      if (!config.isHere(account)) {
        throw new MoveError(
          `${account} is at ${config.nodeOf(account)}: move it from there`,
        );
      }
      if (!config.dynamic.Nodes.has(to)) throw new MoveError(`there is no node ${to}`);
      if (to === config.static.Node) throw new MoveError(`${account} is there already`);
      const id = crypto.randomUUID();
      const move = { id, account, to, begun: Date.now(), done: false };
      await noteMove(config.dataDir, move);
      this.#add(move);
    } else if (under.move.to !== to) {
      throw new MoveError(`${account} is being moved to ${under.move.to}: cancel that first`);
    }
  }

  /** Cancels a move while the account is still here. @throws MoveError */
  async cancel(account: string): Promise<void> {
    const { config, key } = this.#o;
    const m = this.#moves.get(account);
    if (m === undefined) throw new MoveError(`${account} is not being moved`);
    if (this.#decided(m.move)) throw new MoveError(`${account} is at ${m.move.to} already`);
    m.stop.abort();
    await this.#running.get(account);
    if (this.#decided(m.move)) throw new MoveError(`${account} is at ${m.move.to} already`);
    m.stop = new AbortController();
    const place = config.dynamic.Nodes.get(m.move.to);
    try {
      const { id } = m.move;
      if (place) await callNode(key, m.move.to, place, "move forget", { account, id });
    } catch (err) {
      if (!(err instanceof NodeAway) && !(err instanceof CallError)) throw err;
      throw new MoveError(`${m.move.to} does not forget its copy: ${err.message}`);
    }
    await noteMove(config.dataDir, { ...m.move, done: true });
    this.#moves.delete(account);
  }

  /** Runs a move to its end; stops with the server, or when it is cancelled. */
  #run(account: string, print: (text: string) => void): Promise<void> {
    const running = this.#running.get(account);
    if (running) return running;
    const done = this.#untilDone(account, print).finally(() => this.#running.delete(account));
    this.#running.set(account, done);
    return done;
  }

  async #untilDone(account: string, print: (text: string) => void): Promise<void> {
    const m = this.#moves.get(account)!;
    const { signal } = m.stop;
    while (!signal.aborted) {
      try {
        if (!this.#decided(m.move)) await this.#send(m.move, signal, print);
        await this.#settle(m.move, print);
        this.#moves.delete(account);
        return;
      } catch (err) {
        const text = err instanceof Error ? err.message : String(err);
        if (!signal.aborted && text !== m.error) {
          this.#o.log.error("moving an account", { account, err: err as Error });
          print(`${text}; tried again\n`);
        }
        m.error = text;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, retryAfter);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        }, { once: true });
      });
    }
  }

  /** Up to the change of domains.conf. If it throws, the account is still here and in use. */
  async #send(move: Move, signal: AbortSignal, print: (text: string) => void): Promise<void> {
    const { config, accounts, key, log } = this.#o;
    const { account, to, id } = move;
    const place = config.dynamic.Nodes.get(to);
    if (place === undefined) throw new MoveError(`there is no node ${to}`);
    await this.#checkConfig(to);
    const conn = await connectNode(key, to, place, "move");
    const broken = () => conn.destroy();
    signal.addEventListener("abort", broken);
    let stopped = false;
    let deciding = false;
    try {
      conn.write(`${JSON.stringify({ account })}\r\n`);
      await conn.flush();
      const hello = JSON.parse(new TextDecoder().decode(await conn.readLine(maxLine))) as {
        ok?: true;
        error?: string;
      };
      if (hello.ok !== true) throw new MoveError(`${to}: ${hello.error}`);
      log.info("an account is being copied to another node", { account, to });
      print(`copying to ${to}, while it is used\n`);
      const whole = Promise.withResolvers<void>();
      const { dataDir, dir: configDir, staticPath: ownConfig } = config;
      const feed = startFeed(conn, { dataDir, configDir, ownConfig, account }, () => {
        whole.resolve();
        return Promise.resolve();
      });
      await Promise.race([whole.promise, feed.ended]);
      const start = performance.now();
      stopped = true;
      await this.#stop(account);
      log.debug("an account is stopped for its move", { account });
      feed.finish();
      const timer = setTimeout(() => feed.stop(`${to} is too slow`), lastPatience);
      await feed.ended.finally(() => clearTimeout(timer));
      const rows = await takeAccountRows(dataDir, movedDatabases, account);
      await callNode(key, to, place, "move ready", { account, id, rows }, lastPatience);
      log.debug("the other node has all of an account", { account });
      await this.#checkConfig(to);
      if (signal.aborted) throw new MoveError("called off");
      deciding = true;
      await this.#decide(account, to);
      const ms = Math.round(performance.now() - start);
      log.info("an account is at another node now", { account, to, stopped: ms });
      print(`it is at ${to} by domains.conf, ${ms} ms after it was stopped here\n`);
    } finally {
      signal.removeEventListener("abort", broken);
      conn.destroy();
      // The file decides, even if writing it reported a failure.
      if (deciding) await config.reload();
      if (stopped && !this.#decided(move)) {
        accounts.stay(account);
        config.leaving.delete(account);
      }
    }
  }

  /** Checks first, without disturbing anybody, that the other node will accept the file which gives it the account. */
  async #checkConfig(to: string): Promise<void> {
    const { sync } = this.#o;
    await sync.pull();
    const [own, ...others] = await sync.states();
    const there = others.find((s) => s.node === to);
    if (there?.error !== undefined) throw new MoveError(there.error);
    if (there?.edited) {
      throw new MoveError(`domains.conf was edited at ${to}: "mox node push" there first`);
    }
    if (there !== undefined && there.version > own.version) {
      throw new MoveError(`${to} has a newer domains.conf, which can't be taken here`);
    }
  }

  /** Ends all use of the account here. @throws MoveError if something keeps using it */
  async #stop(account: string): Promise<void> {
    const { config, accounts, openLogins } = this.#o;
    config.leaving.add(account);
    accounts.leave(account);
    const logins = openLogins();
    await logins.recheck(account);
    logins.sessions?.endAll(account);
    if (!await accounts.left(account, stopPatience)) {
      throw new MoveError(`${account} is in use: its sessions did not end`);
    }
  }

  /** Hands the account to the other node, by replacing one file. */
  async #decide(account: string, to: string): Promise<void> {
    const { config } = this.#o;
    try {
      await config.writeDynamic((value) => {
        const a = value.Accounts.get(account);
        if (a === undefined) throw new MoveError(`there is no ${account} any more`);
        a.Node = to;
      });
    } catch (err) {
      if (err instanceof ConfigError) throw new MoveError(err.message);
      throw err;
    }
  }

  /** Remaining steps once the account is the other node's; each can be repeated. */
  async #settle(move: Move, print: (text: string) => void): Promise<void> {
    const { config, key, sync, accounts, log } = this.#o;
    const { dataDir } = config;
    const { account, to, id } = move;
    const place = config.dynamic.Nodes.get(to);
    if (place === undefined) throw new MoveError(`there is no node ${to}`);
    const pushed = (await sync.push()).find((s) => s.node === to);
    if (pushed?.error !== undefined) throw new MoveError(`${to}: ${pushed.error}`);
    await callNode(key, to, place, "move take", { account, id }, takePatience);
    log.debug("the other node has taken an account", { account });
    print(`${to} serves it\n`);
    await dropAccountRows(dataDir, movedDatabases, account);
    if (accounts.names().includes(account)) {
      await accounts.left(account, stopPatience);
      const aside = await putAside(dataDir, account);
      log.info("what an account has left here is kept aside", { account, folder: aside });
      print(`what was here is kept in ${aside}\n`);
    }
    await noteMove(dataDir, { ...move, done: true });
    accounts.stay(account);
    config.leaving.delete(account);
  }
}
