/** Calls about the server as a whole: what it is, how it fares, its storage. @module */
import * as v from "valibot";
import { Count, Nothing, Time } from "../../api/basics.ts";

export const Backup = v.object({
  destination: v.string(),
  /** Null while it runs. */
  ended: v.nullable(Time),
  started: Time,
  /** What came of it. */
  ok: v.boolean(),
  text: v.string(),
});
export type Backup = v.InferOutput<typeof Backup>;

export const AdminOverview = v.object({
  version: v.string(),
  hostname: v.string(),
  started: Time,
  /** Bytes. */
  memory: Count,
  domains: Count,
  accounts: Count,
  /** Recipients in the queue; of them on hold. */
  queue: Count,
  held: Count,
  /** Webhook calls that wait. */
  hooks: Count,
  listeners: v.array(v.string()),
  /** Bytes on the data folder's disk. */
  free: Count,
  backup: v.nullable(Backup),
});
export type AdminOverview = v.InferOutput<typeof AdminOverview>;

/** How something went over time. */
export const Series = v.object({
  id: v.string(),
  title: v.string(),
  /** "rate": how many in each step; "level": how much there was. */
  kind: v.picklist(["rate", "level"]),
  unit: v.picklist(["count", "bytes"]),
  /** One for each step, the oldest first. */
  points: v.array(v.number()),
  /** Of a rate: since the server started. Of a level: now. */
  total: v.number(),
  /** More of it is a reason to worry. */
  bad: v.boolean(),
});
export type Series = v.InferOutput<typeof Series>;

const HealthState = v.picklist(["ok", "warning", "critical"]);

export const serverCalls = {
  Overview: { request: Nothing, response: AdminOverview },
  /** Figures of the metrics over the last hours. */
  /** What should be looked at, the worst first; as "mox status" prints it. */
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
      /** Milliseconds from point to point. */
      step: Count,
      /** Points at most. */
      room: Count,
      series: v.array(Series),
    }),
  },
  /** Room on the disk, who uses it, and the last backup. */
  Storage: {
    request: Nothing,
    response: v.object({
      dataDir: v.string(),
      free: Count,
      /** Bytes of messages of all accounts. */
      used: Count,
      accounts: v.array(v.object({
        name: v.string(),
        used: Count,
        /** Bytes; null without one. */
        quota: v.nullable(Count),
      })),
      backup: v.nullable(Backup),
    }),
  },
  /** Whether block lists have this host; null where there is no DNS. It takes some seconds. */
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
  /** Lists in which the own addresses are looked up, beside those that incoming mail is judged by. */
  BlockListsSet: {
    request: v.strictObject({ zones: v.pipe(v.array(v.string()), v.maxLength(50)) }),
    response: Nothing,
  },
};
