/** Calls for the server as a whole: its identity, state and storage. @module */
import * as v from "valibot";
import { Count, Nothing, Time } from "../../api/basics.ts";

export const Backup = v.object({
  destination: v.string(),
  /** Null while it is running. */
  ended: v.nullable(Time),
  started: Time,
  /** Whether it succeeded. */
  ok: v.boolean(),
  text: v.string(),
});
export type Backup = v.InferOutput<typeof Backup>;

export const AdminOverview = v.object({
  version: v.string(),
  hostname: v.string(),
  started: Time,
  /** In bytes. */
  memory: Count,
  domains: Count,
  accounts: Count,
  /** Recipients in the queue; `held` of them are on hold. */
  queue: Count,
  held: Count,
  /** Waiting webhook calls. */
  hooks: Count,
  listeners: v.array(v.string()),
  /** Free bytes on the data folder's disk. */
  free: Count,
  backup: v.nullable(Backup),
});
export type AdminOverview = v.InferOutput<typeof AdminOverview>;

/** A value over time. */
export const Series = v.object({
  id: v.string(),
  title: v.string(),
  /** "rate": the number in each step; "level": the amount at each step. */
  kind: v.picklist(["rate", "level"]),
  unit: v.picklist(["count", "bytes"]),
  /** One per step, oldest first. */
  points: v.array(v.number()),
  /** For a rate: since the server started. For a level: now. */
  total: v.number(),
  /** Whether more of it is a reason to worry. */
  bad: v.boolean(),
});
export type Series = v.InferOutput<typeof Series>;

const HealthState = v.picklist(["ok", "warning", "critical"]);

export const serverCalls = {
  Overview: { request: Nothing, response: AdminOverview },
  /** Figures of the metrics over the last hours. */
  /** What needs attention, most serious first, as "mox status" prints it. */
  Status: {
    request: Nothing,
    response: v.object({
      state: HealthState,
      checks: v.array(v.object({ name: v.string(), state: HealthState, text: v.string() })),
    }),
  },
  Glance: {
    request: Nothing,
    response: v.object({
      /** Milliseconds between points. */
      step: Count,
      /** Most points. */
      room: Count,
      series: v.array(Series),
    }),
  },
  /** Disk space, who uses it, and the last backup. */
  Storage: {
    request: Nothing,
    response: v.object({
      dataDir: v.string(),
      free: Count,
      /** Bytes of messages in all accounts. */
      used: Count,
      accounts: v.array(v.object({
        name: v.string(),
        used: Count,
        /** In bytes; null for none. */
        quota: v.nullable(Count),
      })),
      backup: v.nullable(Backup),
    }),
  },
  /** Whether block lists contain this host; null without DNS. It takes some seconds. */
  BlockLists: {
    request: Nothing,
    response: v.object({
      monitored: v.array(v.string()),
      found: v.nullable(v.array(v.object({
        ip: v.string(),
        zone: v.string(),
        status: v.string(),
        text: v.string(),
      }))),
    }),
  },
  /** Lists in which the server's own addresses are looked up, in addition to those used for incoming mail. */
  BlockListsSet: {
    request: v.strictObject({ zones: v.pipe(v.array(v.string()), v.maxLength(50)) }),
    response: Nothing,
  },
};
