/** Calls for the nodes that accounts are spread over. @module */
import * as v from "valibot";
import { Count, Nothing, text, Time } from "../../api/basics.ts";

const AdminNode = v.object({
  name: v.string(),
  address: v.string(),
  /** Whether it is the answering node. */
  own: v.boolean(),
  /** Why nothing is known about it; "" if it responds, and only then the rest is valid. */
  error: v.string(),
  /** Version of its domains.conf; 0 if none was ever pushed. */
  version: Count,
  /** Whether the file was edited since, or another node has a newer one. */
  edited: v.boolean(),
  behind: v.boolean(),
  /** Version of the program. */
  program: v.string(),
  started: Time,
  accounts: Count,
  queue: Count,
  /** Free bytes on the data folder's disk. */
  free: Count,
  health: v.picklist(["ok", "warning", "critical"]),
  standby: v.picklist(["none", "follows", "away"]),
});
export type AdminNode = v.InferOutput<typeof AdminNode>;

const AdminMove = v.object({
  account: v.string(),
  to: v.string(),
  begun: Time,
  /** Whether domains.conf already assigns the account to the other node. */
  decided: v.boolean(),
  /** Why it makes no progress. */
  error: v.string(),
});

export const nodeCalls = {
  /** Empty without nodes. */
  Nodes: {
    request: Nothing,
    response: v.object({ nodes: v.array(AdminNode), moves: v.array(AdminMove) }),
  },
  /** The result at each other node: an error, or "". */
  NodesPush: {
    request: Nothing,
    response: v.object({ nodes: v.array(v.object({ name: v.string(), error: v.string() })) }),
  },
  /** Answered once it is under way. */
  NodeMove: { request: v.strictObject({ account: text(500), node: text(200) }), response: Nothing },
  NodeMoveCancel: { request: v.strictObject({ account: text(500) }), response: Nothing },
};
