/**
 * Accounts that other nodes send to this one: the copy arrives in a separate folder, is kept up to date while the account
 * is still used at its old node, and becomes active once that node says that it is here now. See src/nodes/moves.ts.
 *
 * @module
 */
import { join } from "node:path";
import type { Config } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { SocketConnection } from "../../net/mod.ts";
import { CallError, type CallHandler } from "../../nodes/calls.ts";
import type { LinkPeer } from "../../nodes/link.ts";
import {
  arrivingAccounts,
  arrivingPath,
  forgetArriving,
  forgetReady,
  noteReady,
  readReady,
  type Ready,
} from "../../nodes/moves.ts";
import { ensureDir, syncDir } from "../../platform/files.ts";
import { isSafeName } from "../../platform/paths.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { removedFolder } from "../../store/backup/copy.ts";
import {
  AccountRowsError,
  checkAccountRows,
  type PackedRows,
  putAccountRows,
} from "../../store/database/account_rows.ts";
import { receiveFeed } from "../../store/follow/sink_client.ts";
import { movedDatabases } from "./moved_rows.ts";

/** Bytes of the line that names the account a node sends. */
const maxLine = 1000;
/** Milliseconds for users of a former account of that name to let go of it. */
const closePatience = 20_000;

export interface ArrivalOptions {
  config: Config;
  accounts: Accounts;
  log: Log;
  /** Fetches the newest domains.conf. */
  pull: () => Promise<void>;
  /** Called after an account was taken over, to drop caches that say it is not here. */
  taken: (account: string) => void;
}

export class Arrivals {
  readonly #o: ArrivalOptions;
  /** Accounts whose copy is arriving now. */
  readonly #coming = new Map<string, SocketConnection>();
  /** Accounts whose copy this process has received completely. */
  readonly #whole = new Set<string>();
  #working: Promise<unknown> = Promise.resolve();

  private constructor(options: ArrivalOptions) {
    this.#o = options;
  }

  /** Loads copies from earlier runs; complete ones stay closed until their node says who has the account. */
  static async open(options: ArrivalOptions): Promise<Arrivals> {
    for (const name of await arrivingAccounts(options.config.dataDir)) {
      if (await readReady(options.config.dataDir, name)) options.accounts.leave(name);
    }
    return new Arrivals(options);
  }

  /** Calls open to other nodes. */
  get calls(): Map<string, CallHandler> {
    const call =
      (fn: (account: string, id: string, from: string, args: Record<string, unknown>) => unknown) =>
      (args: Record<string, unknown>, peer: LinkPeer) => {
        const { account, id } = args;
        if (typeof account !== "string" || !isSafeName(account) || typeof id !== "string") {
          throw new CallError("an account and the id of its move are expected");
        }
        // One at a time: none takes long.
        const done = this.#working.then(() => fn(account, id, peer.node, args));
        this.#working = done.catch(() => {});
        return done;
      };
    return new Map<string, CallHandler>([
      ["move ready", call((a, id, from, args) => this.#ready(a, id, from, args.rows))],
      ["move take", call((a, id, from) => this.#take(a, id, from))],
      ["move forget", call((a, id, from) => this.#forget(a, id, from))],
    ]);
  }

  /** Receives the copy that a node sends over a connection, until it is complete. */
  async receive(conn: SocketConnection, peer: LinkPeer): Promise<void> {
    const { config, log, accounts } = this.#o;
    const first = JSON.parse(new TextDecoder().decode(await conn.readLine(maxLine))) as {
      account?: unknown;
    };
    const account = String(first.account);
    const answer = async (a: { ok: true } | { error: string }) => {
      conn.write(`${JSON.stringify(a)}\r\n`);
      await conn.flush();
    };
    const why = !isSafeName(account) || config.nodeOf(account) !== peer.node
      ? `${account} is at ${config.nodeOf(account) ?? "no node"} by domains.conf here`
      : undefined;
    if (why !== undefined) return await answer({ error: why });
    // The earlier one is from the same node, whose connection broke.
    this.#coming.get(account)?.destroy();
    this.#coming.set(account, conn);
    try {
      // The account has been used here since.
      this.#whole.delete(account);
      await forgetReady(config.dataDir, account);
      accounts.stay(account);
      const folder = arrivingPath(config.dataDir, account);
      await ensureDir(folder);
      await answer({ ok: true });
      log.info("an account is being copied here", { account, node: peer.node });
      await receiveFeed(conn, folder, account);
      this.#whole.add(account);
      log.info("the copy of an account is whole", { account, node: peer.node });
    } finally {
      if (this.#coming.get(account) === conn) this.#coming.delete(account);
    }
  }

  /** Marks the copy complete, and stores the account's rows of other databases. @throws CallError */
  async #ready(account: string, id: string, from: string, rows: unknown): Promise<null> {
    const { config, accounts } = this.#o;
    if (config.nodeOf(account) !== from) throw new CallError(`${account} is not yours`);
    if (!this.#whole.has(account)) throw new CallError("its copy is not whole here");
    const packed = (rows ?? {}) as PackedRows;
    try {
      await checkAccountRows(config.dataDir, movedDatabases, packed);
    } catch (err) {
      if (err instanceof AccountRowsError) throw new CallError(err.message);
      throw err;
    }
    // Prevents an empty account from being opened in its place once domains.conf says that it is here.
    accounts.leave(account);
    await noteReady(config.dataDir, account, { id, from, rows: packed });
    this.#o.log.debug("an account is ready to be taken", { account });
    return null;
  }

  /** Activates the account: the sender's domains.conf says it is here now. @throws CallError */
  async #take(account: string, id: string, from: string): Promise<null> {
    const { config, log } = this.#o;
    // Nodes on one machine may share the file.
    if (!config.isHere(account)) await config.reload().catch(() => undefined);
    if (!config.isHere(account)) await this.#o.pull();
    if (!config.isHere(account)) {
      throw new CallError(`${account} is at ${config.nodeOf(account)} by domains.conf here`);
    }
    const ready = await readReady(config.dataDir, account);
    // It was activated before, and the answer was lost.
    if (ready === undefined) return null;
    if (ready.id !== id || ready.from !== from) throw new CallError("that is another move");
    await this.#install(account, ready);
    log.info("an account is here now", { account, from });
    return null;
  }

  /** Every step can be repeated after a crash; nobody opens the account before the last one. */
  async #install(account: string, { rows }: Ready): Promise<void> {
    const { config, accounts } = this.#o;
    const { dataDir } = config;
    accounts.leave(account);
    if (!await accounts.left(account, closePatience)) {
      throw new CallError(`${account} is in use here`);
    }
    await putAccountRows(dataDir, movedDatabases, account, rows);
    this.#o.log.debug("rows of an account are in place", { account });
    const from = join(arrivingPath(dataDir, account), "accounts", account);
    const to = config.dataPath("accounts", account);
    if (await exists(from)) {
      if (await exists(to)) await putAside(dataDir, account);
      await Deno.rename(from, to);
      await syncDir(join(to, ".."));
    }
    this.#o.log.debug("the folder of an account is in place", { account });
    await forgetArriving(dataDir, account);
    accounts.stay(account);
    this.#o.taken(account);
  }

  async #forget(account: string, id: string, from: string): Promise<null> {
    const { config, accounts } = this.#o;
    const ready = await readReady(config.dataDir, account);
    if (config.nodeOf(account) !== from) throw new CallError(`${account} is not yours`);
    if (ready !== undefined && ready.id !== id) throw new CallError("that is another move");
    this.#coming.get(account)?.destroy();
    this.#whole.delete(account);
    await forgetArriving(config.dataDir, account);
    accounts.stay(account);
    return null;
  }

  /**
   * Activates accounts whose copy is complete and which are here by domains.conf, although their old node can't confirm it:
   * that node is lost. For the administrator only.
   */
  async accept(account: string): Promise<boolean> {
    const ready = await readReady(this.#o.config.dataDir, account);
    if (ready === undefined || !this.#o.config.isHere(account)) return false;
    await this.#install(account, ready);
    return true;
  }
}

/** Renames an account's folder out of the way; its files are kept. */
export async function putAside(dataDir: string, account: string): Promise<string> {
  const aside = join(dataDir, removedFolder);
  await ensureDir(aside);
  const to = join(
    aside,
    `accounts-${account}-${new Date().toISOString().replaceAll(":", "")}`,
  );
  await Deno.rename(join(dataDir, "accounts", account), to);
  await syncDir(aside);
  await syncDir(join(dataDir, "accounts"));
  return to;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (err) => {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  });
}
