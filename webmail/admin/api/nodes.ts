/** Calls about the nodes that accounts are spread over. @module */
import * as v from "valibot";
import { Count, Nothing, text, Time } from "../../api/basics.ts";

const AdminNode = v.object({
  name: v.string(),
  address: v.string(),
  /** The one that answers. */
  own: v.boolean(),
  /** Why nothing is known of it; "" if it answers, and the rest holds then. */
  error: v.string(),
  /** Of its domains.conf; 0 as long as none was pushed. */
  version: Count,
  /** The file was edited since, or another node has a newer one. */
  edited: v.boolean(),
  behind: v.boolean(),
  /** Of the program. */
  program: v.string(),
  started: Time,
  accounts: Count,
  queue: Count,
  /** Bytes on the data folder's disk. */
  free: Count,
  health: v.picklist(["ok", "warning", "critical"]),
  standby: v.picklist(["none", "follows", "away"]),
});
export type AdminNode = v.InferOutput<typeof AdminNode>;

const AdminMove = v.object({
  account: v.string(),
  to: v.string(),
  begun: Time,
  /** The other node has it by domains.conf. */
  decided: v.boolean(),
  /** Why it doesn't get on. */
  error: v.string(),
});

export const nodeCalls = {
  /** Empty where there are none. */
  Nodes: {
    request: Nothing,
    response: v.object({ nodes: v.array(AdminNode), moves: v.array(AdminMove) }),
  },
  /** What became of it at each other node: an error, or "". */
  NodesPush: {
    request: Nothing,
    response: v.object({ nodes: v.array(v.object({ name: v.string(), error: v.string() })) }),
  },
  /** Answered when it is under way. */
  NodeMove: { request: v.strictObject({ account: text(500), node: text(200) }), response: Nothing },
  NodeMoveCancel: { request: v.strictObject({ account: text(500) }), response: Nothing },
};
