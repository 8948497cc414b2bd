/** The state of all nodes, for the admin page of each of them. @module */
import * as v from "valibot";
import type { HealthState } from "../../admin/mod.ts";
import { type Config, ConfigError } from "../../config/mod.ts";
import { CallError, type CallHandler, callNode } from "../../nodes/calls.ts";
import type { NodeKey } from "../../nodes/key.ts";
import { currentAddress, NodeAway } from "../../nodes/link.ts";
import { freeSpace } from "../../platform/files.ts";
import { programVersion } from "../../platform/version.ts";
import type { Queue } from "../../queue/mod.ts";
import { UserError } from "../../web/http/mod.ts";
import type { NodesForAdmin } from "../../web/admin/mod.ts";
import { type ConfigSync, PushConflict } from "./config_sync.ts";
import { type Departures, MoveError } from "./departures.ts";

/** Milliseconds for a node to answer: the page shows the others meanwhile. */
const patience = 5_000;

const infoSchema = v.object({
  version: v.number(),
  edited: v.boolean(),
  program: v.string(),
  started: v.number(),
  accounts: v.number(),
  queue: v.number(),
  free: v.number(),
  health: v.picklist(["ok", "warning", "critical"]),
  standby: v.picklist(["none", "follows", "away"]),
});
type Info = v.InferOutput<typeof infoSchema>;

export interface OverviewOptions {
  config: Config;
  key: NodeKey;
  queue: Queue;
  sync: ConfigSync;
  departures: Departures;
  standby: () => "none" | "follows" | "away";
  /** The most serious of the problems. */
  health: () => Promise<HealthState>;
}

const started = Date.now();

async function ownInfo(options: OverviewOptions): Promise<Info> {
  const { config, queue, sync, standby } = options;
  const { version, edited } = await sync.state();
  return {
    ...{ version, edited, program: programVersion, started, standby: standby() },
    accounts: config.accountsHere().length,
    queue: queue.count(),
    free: await freeSpace(config.dataDir),
    health: await options.health(),
  };
}

/** Calls open to other nodes. */
export function infoCall(options: OverviewOptions): [string, CallHandler] {
  return ["node info", () => ownInfo(options)];
}

/** Calls of the admin page. */
export function nodesForAdmin(options: OverviewOptions): NodesForAdmin {
  const { config, key, sync, departures } = options;
  const unknown: Info = {
    ...{ version: 0, edited: false, program: "", started: 0, accounts: 0, queue: 0, free: 0 },
    ...{ health: "ok", standby: "none" },
  };
  const infoOf = async (name: string): Promise<Info & { error: string }> => {
    try {
      if (name === config.static.Node) return { ...await ownInfo(options), error: "" };
      const place = config.dynamic.Nodes.get(name)!;
      const info = await callNode(key, name, place, "node info", {}, patience);
      return { ...v.parse(infoSchema, info), error: "" };
    } catch (err) {
      if (!(err instanceof NodeAway) && !(err instanceof CallError) && !v.isValiError(err)) {
        throw err;
      }
      return { ...unknown, error: err.message };
    }
  };
  const userError = async <T>(fn: () => Promise<T>): Promise<T> => {
    try {
      return await fn();
    } catch (err) {
      const forUser = [MoveError, PushConflict, ConfigError].some((kind) => err instanceof kind);
      throw forUser ? new UserError((err as Error).message, { cause: err }) : err;
    }
  };
  return {
    async states() {
      const all = await Promise.all([...config.dynamic.Nodes].map(async ([name, n]) => ({
        ...await infoOf(name),
        name,
        address: currentAddress(name, n),
        own: name === config.static.Node,
      })));
      const newest = Math.max(0, ...all.map((n) => n.version));
      return all.map((n) => ({ ...n, behind: n.error === "" && n.version < newest }));
    },
    push: () =>
      userError(async () =>
        (await sync.push()).map(({ node, error }) => ({ name: node, error: error ?? "" }))
      ),
    moves: () => departures.states(),
    move: (account, node) => userError(() => departures.begin(account, node)),
    cancel: (account) => userError(() => departures.cancel(account)),
  };
}
