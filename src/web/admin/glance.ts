/** Key figures for an administrator over the last day, from the metrics. @module */
import type { Series } from "../../../webmail/admin/api/server.ts";
import { type Followed, historyLength, MetricsHistory } from "../../metrics/history.ts";

type Labels = Readonly<Record<string, string | number>>;
const result = (...names: string[]) => (l: Labels) => names.includes(String(l.result));

interface Shown extends Followed {
  title: string;
  kind: Series["kind"];
  unit?: Series["unit"];
  bad?: boolean;
}

const shown = {
  received: {
    title: "Messages received",
    kind: "rate",
    metric: "mox_smtpserver_delivery_total",
    fits: result("delivered", "forwarded"),
  },
  refused: {
    title: "Messages refused",
    kind: "rate",
    metric: "mox_smtpserver_delivery_total",
    fits: result("reject", "refused"),
  },
  sent: {
    title: "Messages sent",
    kind: "rate",
    metric: "mox_queue_delivery_total",
    fits: result("delivered"),
  },
  unsent: {
    title: "Sending failed",
    kind: "rate",
    bad: true,
    metric: "mox_queue_delivery_total",
    fits: result("temporary", "permanent"),
  },
  queue: { title: "In the queue", kind: "level", metric: "mox_queue_messages" },
  logins: {
    title: "Failed logins",
    kind: "rate",
    bad: true,
    metric: "mox_authentication_total",
    // Expired sessions are not login attempts.
    fits: (l: Labels) =>
      l.result !== "ok" && l.result !== "aborted" && l.variant !== "websessionuse",
  },
  limited: {
    title: "Logins rate-limited",
    kind: "rate",
    bad: true,
    metric: "mox_authentication_ratelimited_total",
  },
  connections: { title: "Connections open", kind: "level", metric: "mox_connections_open" },
  hooks: { title: "Webhook calls waiting", kind: "level", metric: "mox_webhook_queue" },
  memory: {
    title: "Memory",
    kind: "level",
    unit: "bytes",
    metric: "mox_memory_resident_bytes",
  },
  panics: { title: "Unhandled errors", kind: "rate", bad: true, metric: "mox_panic_total" },
} as const satisfies Record<string, Shown>;
type Name = keyof typeof shown;

/** The figures. */
export interface Glance {
  start(): Promise<void>;
  stop(): void;
  read(): Promise<{ step: number; room: number; series: Series[] }>;
}

/** Collects them from `start` on. */
export function followGlance(): Glance {
  const history = new MetricsHistory<Name>(shown);
  return {
    start: () => history.start(),
    stop: () => history.stop(),
    async read() {
      const current = await history.values();
      const series = (Object.entries(shown) as [Name, Shown][]).map(([id, s]): Series => ({
        id,
        title: s.title,
        kind: s.kind,
        unit: s.unit ?? "count",
        bad: s.bad ?? false,
        points: s.kind === "rate"
          ? history.rises(id, current[id])
          : [...history.levels(id), current[id]],
        total: current[id],
      }));
      return { step: history.step, room: historyLength, series };
    },
  };
}
