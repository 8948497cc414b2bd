/**
 * A node and its standby: only one of them may serve. A node asks the other before it listens, and periodically while
 * it serves, and sends its data to the standby that follows. See src/nodes/role.ts.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { gauge } from "../../metrics/mod.ts";
import type { Connection } from "../../net/mod.ts";
import { CallError, type CallHandler, callPlace } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { type LinkPeer, NodeAway } from "../../nodes/link.ts";
import { readRole, type Role, roleFrom, type Seat, writeRole } from "../../nodes/role.ts";
import type { RunningFeed } from "../../store/follow/feed_client.ts";
import { startFeed } from "../../store/follow/feed_client.ts";
import { isOtherSeat, ownNode, ownSeat, placeOfSeat } from "./seat.ts";

/** Milliseconds to wait for the other at the start. */
const startPatience = 15_000;
/** Milliseconds between questions. */
const interval = 2_000;
/** Milliseconds for the last changes, when the server stops. */
const finishPatience = 20_000;

const follows = gauge(
  "mox_standby_follows",
  "Whether a standby follows this node's data: 1 or 0.",
);

/** This server must not serve; the message says what to do. */
export class NotServing extends Error {
  override name = "NotServing";
}

/** @throws NotServing if the data folder is a copy, or belongs to a node that was replaced */
function mayServe(role: Role, dataDir: string): void {
  if (role.role === "standby") {
    throw new NotServing(
      `${dataDir} is the copy of a standby: "mox standby" keeps it up to date, "mox promote" makes it serve`,
    );
  }
  if (role.role === "fenced") {
    throw new NotServing(
      `this node's standby has taken its place (term ${role.term}), so it must not serve: make it the standby ` +
        `of the other with "mox standby", which keeps its data aside; or have it serve again with ` +
        `"mox promote -force", after the other was stopped for good`,
    );
  }
}

/** Refuses to serve a copy, even if no nodes are configured. @throws NotServing */
export async function refuseCopy(dataDir: string): Promise<void> {
  mayServe(await readRole(dataDir), dataDir);
}

export interface SuccessionOptions {
  config: Config;
  key: NodeKey;
  log: Log;
  /** Stops the server. */
  stop: () => void;
  /** Milliseconds to wait for the other at the start. */
  patience?: number;
}

export class Succession {
  readonly #o: SuccessionOptions;
  #role: Role;
  readonly seat: Seat;
  #feed: { feed: RunningFeed; remote: string } | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopping = false;

  private constructor(options: SuccessionOptions, role: Role, seat: Seat) {
    this.#o = options;
    this.#role = role;
    this.seat = seat;
  }

  /**
   * Reads the role, and asks the other whether it has taken this one's place.
   * @throws NotServing if it has, or if it may have and can't be asked
   */
  static async open(options: SuccessionOptions): Promise<Succession> {
    const { config } = options;
    const role = await readRole(config.dataDir);
    mayServe(role, config.dataDir);
    const s = new Succession(options, role, await ownSeat(config));
    await s.#askFirst();
    return s;
  }

  async #askFirst(): Promise<void> {
    if (ownNode(this.#o.config)?.Standby === undefined) return;
    const until = Date.now() + (this.#o.patience ?? startPatience);
    for (let logged = false;;) {
      try {
        if (!await this.#overtaken()) return;
        mayServe(this.#role, this.#o.config.dataDir);
      } catch (err) {
        if (!(err instanceof NodeAway)) throw err;
        // No standby has ever had a complete copy, so none can serve.
        if (!this.#role.armed) return;
        if (!logged) this.#o.log.warn("the standby is asked first whether it serves", { err });
        logged = true;
        if (Date.now() > until) {
          throw new NotServing(
            `the standby of this node can't be asked whether it has taken its place: ${err.message}. Start it, ` +
              `or if it does not serve, have this one serve without: "mox promote -force"`,
            { cause: err },
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  /** Whether the other serves with a higher term: then this one is fenced from now on. @throws NodeAway */
  async #overtaken(): Promise<boolean> {
    const { config, key } = this.#o;
    const node = ownNode(config);
    if (node?.Standby === undefined) return false;
    const name = `${config.static.Node}, its other place`;
    const place = placeOfSeat(node, this.seat === "home" ? "standby" : "home");
    let other: Role;
    try {
      other = roleFrom(await callPlace(key, name, place, "role", {}, [node.Standby.Key]));
    } catch (err) {
      if (err instanceof NodeAway) throw err;
      throw new NodeAway(name, err);
    }
    if (other.role !== "serving" || other.term <= this.#role.term) return false;
    await this.#fence(other.term);
    return true;
  }

  async #fence(term: number): Promise<void> {
    this.#role = { role: "fenced", term, armed: false, upToDate: 0 };
    await writeRole(this.#o.config.dataDir, this.#role);
    this.#o.log.error("the standby serves in this node's place: this one stops", { term });
  }

  /** Calls open to other nodes. */
  get calls(): Map<string, CallHandler> {
    return new Map<string, CallHandler>([
      ["role", () => Promise.resolve(this.#role)],
      ["hand over", async (args, peer) => {
        const { config } = this.#o;
        if (!isOtherSeat(config, this.seat, peer)) throw new CallError("you are not the standby");
        const term = Number(args.term);
        if (!Number.isSafeInteger(term) || term <= this.#role.term) {
          throw new CallError(`the term ${term} is not higher than ${this.#role.term}`);
        }
        if (this.#feed === undefined) throw new CallError("you don't follow");
        await this.#fence(term);
        setTimeout(this.#o.stop, 0);
        return { term };
      }],
    ]);
  }

  /** Asks periodically whether the other serves. */
  start(): void {
    this.#timer = setInterval(() => void this.#look(), interval);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #look(): Promise<void> {
    // While the standby follows it has not taken this one's place.
    if (this.#feed !== undefined || this.#role.role !== "serving" || this.#stopping) return;
    try {
      if (await this.#overtaken()) this.#o.stop();
    } catch (err) {
      if (!(err instanceof NodeAway)) {
        this.#o.log.error("the standby was not asked", { err: err as Error });
      }
    }
  }

  /** Whether the node has a standby, and whether it follows. */
  get state(): "none" | "follows" | "away" {
    if (ownNode(this.#o.config)?.Standby === undefined) return "none";
    return this.#feed === undefined ? "away" : "follows";
  }

  /** Sends the data to the standby, until the connection or this server ends. */
  async follow(conn: Connection, peer: LinkPeer): Promise<void> {
    const { config, log } = this.#o;
    if (this.#stopping || !isOtherSeat(config, this.seat, peer)) {
      log.warn("data refused: it is not the standby of this node", { remote: conn.remoteIp });
      return;
    }
    // The earlier one is the same standby, whose connection broke.
    const before = this.#feed;
    before?.feed.stop("the standby has connected anew");
    await before?.feed.ended.catch(() => {});
    const term = String(this.#role.term);
    conn.write(`${JSON.stringify({ node: config.static.Node, term: this.#role.term })}\r\n`);
    await conn.flush();
    const feed = startFeed(conn, {
      dataDir: config.dataDir,
      configDir: config.dir,
      ownConfig: config.staticPath,
    }, async () => {
      if (this.#role.role !== "serving") throw new Error("this node is fenced");
      if (this.#role.armed) return;
      this.#role = { ...this.#role, armed: true };
      await writeRole(config.dataDir, this.#role);
    });
    const own = this.#feed = { feed, remote: conn.remoteIp };
    log.info("the standby follows", { remote: conn.remoteIp, term });
    follows.set(1);
    try {
      await feed.ended;
      log.info("the standby has everything", { remote: conn.remoteIp });
    } catch (err) {
      log.warn("the standby follows no more", { remote: conn.remoteIp, err: err as Error });
    } finally {
      if (this.#feed === own) {
        this.#feed = undefined;
        follows.set(0);
      }
    }
  }

  /** Stops asking, and accepts no standby any more. */
  quiesce(): void {
    this.#stopping = true;
    clearInterval(this.#timer);
  }

  /** Sends the last changes, once everything is written and closed. */
  async finish(): Promise<void> {
    const feed = this.#feed?.feed;
    if (feed === undefined) return;
    feed.finish();
    const timer = setTimeout(
      () => feed.stop("the standby is too slow: the server stops without"),
      finishPatience,
    );
    await feed.ended.catch(() => {});
    clearTimeout(timer);
  }
}
