/**
 * The standby of a node: keeps its data folder a copy of the node's, answers whether it serves, and takes the node's
 * place when asked.
 *
 * @module
 */
import { join } from "node:path";
import { standbyHealth, worstState } from "../../admin/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { SocketConnection, TcpServer } from "../../net/mod.ts";
import { CallError, type CallHandler, callPlace, serveCalls } from "../../nodes/calls.ts";
import { type NodeKey, nodeKeyFile, openNodeKey } from "../../nodes/key.ts";
import { connectPlace, NodeAway, serveNodeLinks } from "../../nodes/link.ts";
import { hasRole, nextTerm, readRole, type Role, type Seat, writeRole } from "../../nodes/role.ts";
import { ensureDir } from "../../platform/files.ts";
import { programVersion } from "../../platform/version.ts";
import { leftOut, removedFolder, standbyKeyFile } from "../../store/backup/copy.ts";
import { type FeedOp, maxLine } from "../../store/follow/protocol.ts";
import { CopySink } from "../../store/follow/sink.ts";
import { ControlError, type ControlHandler, ControlServer, type Json } from "../control/control.ts";
import { ownNode, ownSeat, peerWith, placeOfSeat } from "./seat.ts";

/** Milliseconds before connecting to the node again. */
const retryAfter = 1_000;
/** Milliseconds of silence from the node, which sends something every second unless it copies a large database. */
const silence = 120_000;
/** Milliseconds for the node to send its last changes when asked to hand over. */
const handOverPatience = 60_000;
/** Milliseconds between two records on disk of the copy's progress. */
const noteInterval = 5_000;
/** Bytes of a read. */
const pieceSize = 64 * 1024;

/** State of the copy. */
export interface StandbyState {
  node: string;
  term: number;
  connected: boolean;
  /** Time as of which the copy is complete, by the node's clock; 0 while it isn't. */
  upToDate: number;
  /** Milliseconds since the node last confirmed it. */
  age: number;
}

export class Standby {
  readonly #config: Config;
  readonly #log: Log;
  readonly #key: NodeKey;
  readonly #seat: Seat;
  readonly #control: ControlServer;
  readonly #sink: CopySink;
  #role: Role;
  #link: TcpServer | undefined;
  #conn: SocketConnection | undefined;
  /** The node has handed over, and everything has arrived. */
  #handedOver = false;
  /** When the last round came, by this machine's clock. */
  #heard = 0;
  #noted = -Infinity;
  #lastWarning = "";
  readonly #stopping = new AbortController();
  readonly #done = Promise.withResolvers<"stopped" | "promoted">();
  #running: Promise<void> | undefined;

  private constructor(
    config: Config,
    log: Log,
    key: NodeKey,
    seat: Seat,
    role: Role,
    control: ControlServer,
  ) {
    this.#config = config;
    this.#log = log;
    this.#key = key;
    this.#seat = seat;
    this.#role = role;
    this.#control = control;
    this.#sink = new CopySink({
      dataDir: config.dataDir,
      configDir: config.dir,
      ownConfig: config.staticPath,
      round: (at) => this.#round(at),
    });
  }

  /**
   * Takes over the data folder and starts to follow.
   * @throws Error if the folder is not a standby's, or the configuration has none; ListenError
   */
  static async start(config: Config, log: Log): Promise<Standby> {
    await ensureDir(config.dataDir);
    const control = new ControlServer(config.dataDir, log.forPackage("control"));
    await control.start();
    try {
      const key = await ownKey(config);
      const seat = await ownSeat(config);
      const s = new Standby(config, log, key, seat, await standbyRole(config, log), control);
      await s.#start();
      return s;
    } catch (err) {
      await control.stop();
      throw err;
    }
  }

  /** Resolves when it has ended: on request, or to serve in the node's place. */
  get done(): Promise<"stopped" | "promoted"> {
    return this.#done.promise;
  }

  get state(): StandbyState {
    return {
      node: this.#config.static.Node,
      term: this.#role.term,
      connected: this.#conn !== undefined,
      upToDate: this.#role.upToDate,
      age: this.#heard === 0 ? 0 : Date.now() - this.#heard,
    };
  }

  async #start(): Promise<void> {
    const { Address, Port } = placeOfSeat(ownNode(this.#config)!, this.#seat);
    const calls = new Map<string, CallHandler>([["role", () => Promise.resolve(this.#role)]]);
    this.#link = await serveNodeLinks({
      address: Address,
      port: Port,
      key: this.#key,
      log: this.#log,
      peerWith: (hash) => peerWith(this.#config, hash),
      serve: { call: (conn, peer) => serveCalls(conn, peer, calls) },
    });
    const config = this.#config;
    const started = Date.now();
    this.#control.serve(
      new Map<string, ControlHandler>([
        ["stop", () => void setTimeout(() => this.stop(), 0)],
        ["status", async () => {
          const { state } = this;
          const checks = await standbyHealth({ config }, state);
          return {
            version: programVersion,
            hostname: config.static.Hostname,
            standbyOf: state.node,
            started,
            state: worstState(checks),
            checks: checks.map((c) => ({ ...c })),
          };
        }],
        ["standby state", () => ({ ...this.state }) as Json],
        ["promote", async (args) => await this.#promote((args as { force: boolean }).force)],
      ]),
    );
    this.#running = this.#run();
    // It ends by itself only on an error that a new connection can't cure.
    this.#running.catch((err) => this.#end().then(() => this.#done.reject(err)));
  }

  /** Stops following; the copy stays as it is. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#conn?.destroy();
    await this.#running;
    await this.#end();
    this.#done.resolve("stopped");
  }

  async #end(): Promise<void> {
    if (this.#role.role === "standby") {
      try {
        await writeRole(this.#config.dataDir, this.#role);
      } catch (err) {
        // On a full disk the earlier record stays, which is older than the copy.
        this.#log.warn("how far the copy is can't be noted", { err: err as Error });
      }
    }
    await this.#link?.shutdown(1000);
    await this.#control.stop();
  }

  /** Follows, and reconnects when the connection ends. @throws errors of the data folder */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && !this.#handedOver) {
      let failed: unknown;
      try {
        await this.#follow();
        failed = new Error("the node has stopped");
      } catch (err) {
        failed = err;
      } finally {
        this.#conn?.destroy();
        this.#conn = undefined;
      }
      if (signal.aborted || this.#handedOver) return;
      const text = (failed as Error).message;
      if (text !== this.#lastWarning) {
        this.#log.warn("not following just now", { err: failed as Error });
      }
      this.#lastWarning = text;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, retryAfter);
        function done() {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
        signal.addEventListener("abort", done);
      });
    }
  }

  async #follow(): Promise<void> {
    const name = this.#config.static.Node;
    const node = ownNode(this.#config);
    if (node?.Standby === undefined) throw new Error("domains.conf has no standby of this node");
    const place = placeOfSeat(node, this.#seat === "home" ? "standby" : "home");
    const conn = await connectPlace(this.#key, name, place, "follow");
    this.#conn = conn;
    if (this.#stopping.signal.aborted) return;
    conn.readTimeout = silence;
    const text = async () => new TextDecoder().decode(await conn.readLine(maxLine));
    const hello = JSON.parse(await text()) as { term?: unknown };
    const term = Number(hello.term);
    if (!Number.isSafeInteger(term) || term < this.#role.term) {
      throw new Error(
        `${name} serves with term ${hello.term}, but ${this.#role.term} is known here: it was replaced`,
      );
    }
    if (term > this.#role.term) await this.#note({ ...this.#role, term });
    this.#log.info("connected to the node", { node: name, term });
    for (;;) {
      const op = JSON.parse(await text()) as FeedOp;
      const answer = await this.#sink.take(op, (size) => payload(conn, size));
      if (op.op === "end" && this.#promoting) this.#handedOver = true;
      if (answer === undefined) continue;
      conn.write(`${JSON.stringify(answer)}\r\n`);
      await conn.flush();
      if (op.op === "end") return;
    }
  }

  async #round(at: number): Promise<void> {
    const first = this.#role.upToDate === 0;
    this.#heard = Date.now();
    this.#role = { ...this.#role, upToDate: at };
    if (first || this.#heard - this.#noted > noteInterval) await this.#note(this.#role);
    if (first || this.#lastWarning !== "") this.#log.info("the copy is whole, and follows");
    this.#lastWarning = "";
  }

  async #note(role: Role): Promise<void> {
    this.#role = role;
    this.#noted = Date.now();
    await writeRole(this.#config.dataDir, role);
  }

  #promoting = false;

  /** Takes the node's place. @throws ControlError with the reason if it can't */
  async #promote(force: boolean): Promise<Json> {
    if (this.#promoting) throw new ControlError("it is under way");
    if (this.#role.upToDate === 0) {
      throw new ControlError("the copy has never been whole, so it can't serve");
    }
    const term = nextTerm(this.#role.term, this.#seat);
    this.#promoting = true;
    try {
      // Before the node stops for it.
      await this.#note(this.#role).catch((err: Error) => {
        throw new ControlError(`the copy can't take the node's place: ${err.message}`);
      });
      const why = await this.#askToHandOver(term);
      if (why !== undefined && !force) {
        throw new ControlError(
          `${this.#config.static.Node} has not handed over: ${why}. If it is down for good, or can't be reached ` +
            `by anyone, "mox promote -force" takes its place without: what it took and did not send is lost here, ` +
            `and it refuses to serve when it comes back`,
        );
      }
    } catch (err) {
      this.#promoting = this.#handedOver;
      throw err;
    }
    this.#stopping.abort();
    this.#conn?.destroy();
    await this.#running;
    const { upToDate } = this.#role;
    const before = this.#role;
    try {
      await this.#note({ role: "serving", term, armed: false, upToDate: 0 });
    } catch (err) {
      this.#role = before;
      setTimeout(() => void this.#end().then(() => this.#done.reject(err)), 0);
      throw err;
    }
    this.#log.info("promoted", {
      term,
      handedOver: this.#handedOver,
      upToDate: new Date(upToDate).toISOString(),
    });
    // After the answer, as stopping closes its connection.
    setTimeout(() => void this.#end().then(() => this.#done.resolve("promoted")), 0);
    return { term, handedOver: this.#handedOver, upToDate, age: Date.now() - this.#heard };
  }

  /** Makes the node stop and send its last changes. @returns why it didn't, undefined if it did */
  async #askToHandOver(term: number): Promise<string | undefined> {
    const node = ownNode(this.#config)!;
    const place = placeOfSeat(node, this.#seat === "home" ? "standby" : "home");
    try {
      await callPlace(this.#key, this.#config.static.Node, place, "hand over", { term });
    } catch (err) {
      if (err instanceof NodeAway || err instanceof CallError) return err.message;
      throw err;
    }
    const timer = setTimeout(() => this.#conn?.destroy(), handOverPatience);
    // Ends with the feed, or when the connection breaks; it is not restarted once everything is handed over.
    while (this.#conn !== undefined && !this.#handedOver) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    clearTimeout(timer);
    return this.#handedOver ? undefined : "it stops, but its last changes did not come";
  }
}

async function* payload(conn: SocketConnection, size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const piece = await conn.readSome(Math.min(left, pieceSize));
    left -= piece.length;
    yield piece;
  }
}

/** The key by which the standby proves itself. @throws Error with the hash, if domains.conf has another one */
async function ownKey(config: Config): Promise<NodeKey> {
  const node = ownNode(config);
  if (node === undefined) {
    throw new Error(
      `${config.staticPath}: Node is missing: a standby is one of the Nodes of domains.conf`,
    );
  }
  const home = await Deno.stat(join(config.dataDir, nodeKeyFile)).then(() => true, () => false);
  if (home && await ownSeat(config) === "home") {
    const key = await openNodeKey(config.dataDir);
    if (key.hash === node.Key && node.Standby !== undefined) return key;
  }
  const key = await openNodeKey(config.dataDir, standbyKeyFile);
  if (key.hash !== node.Standby?.Key) {
    throw new Error(
      `${config.dynamicPath} has ${
        node.Standby ? `the key ${node.Standby.Key}` : "no Standby"
      } for node ${config.static.Node}: put ${key.hash}, which this folder has, as Key of its Standby, on all nodes`,
    );
  }
  return key;
}

/** The role of a folder that will follow. @throws Error if it has data of its own */
async function standbyRole(config: Config, log: Log): Promise<Role> {
  const { dataDir } = config;
  const role = await readRole(dataDir);
  if (role.role === "standby") return role;
  if (role.role === "serving") {
    const accounts = await Deno.stat(join(dataDir, "accounts")).then(() => true, () => false);
    if (accounts || await hasRole(dataDir)) {
      throw new Error(
        `${dataDir} has the data of a server: a standby begins with an empty folder, but for its key`,
      );
    }
  } else {
    // It contains mail accepted here that the other never got.
    const aside = await putAside(dataDir);
    log.warn("what was here before is kept aside", { folder: aside });
  }
  const made: Role = { role: "standby", term: role.term, armed: false, upToDate: 0 };
  await writeRole(dataDir, made);
  return made;
}

/** Moves all data into a folder in `removed`; continues an interrupted move. */
async function putAside(dataDir: string): Promise<string> {
  const time = new Date().toISOString().replaceAll(":", "");
  const aside = join(dataDir, removedFolder, `replaced-${time}`);
  await ensureDir(aside);
  for await (const e of Deno.readDir(dataDir)) {
    if (leftOut("", e.name) || e.name === nodeKeyFile) continue;
    await Deno.rename(join(dataDir, e.name), join(aside, e.name));
  }
  return aside;
}
