/** The alerting rules and the dashboard name metrics that the server has from its start. */
import assert from "node:assert/strict";
import { registry } from "../../src/metrics/mod.ts";
// All that makes metrics.
import "../../src/commands/mod.ts";

/** Metrics of Prometheus itself. */
const foreign = new Set(["up"]);

/** Names of metrics in an expression. */
function names(expr: string): string[] {
  const without = expr.replace(/"[^"]*"/g, '""').replace(/\{[^}]*\}/g, "").replace(
    /\[[^\]]*\]/g,
    "",
  )
    .replace(/\bby \([^)]*\)/g, "");
  const functions = /^(?:increase|rate|sum|time|histogram_quantile|or|and|le)$/;
  return [...without.matchAll(/[a-z_][a-z0-9_]*/g)].map((m) => m[0]).filter((n) =>
    !functions.test(n) && !foreign.has(n)
  );
}

/** Label names of a metric in an expression, by the metric. */
function labels(expr: string): [metric: string, label: string][] {
  return [...expr.matchAll(/([a-z_][a-z0-9_]*)\{([^}]*)\}/g)].flatMap((m) =>
    m[1] === "up"
      ? []
      : [...m[2].matchAll(/([a-z_]+)(?:=|!=|=~|!~)/g)].map((l) => [m[1], l[1]] as [string, string])
  );
}

async function expressions(): Promise<string[]> {
  const rules = await Deno.readTextFile(new URL("../../docs/prometheus.rules", import.meta.url));
  const found = [...rules.matchAll(/^\s*expr: (.*)$/gm)].map((m) => m[1]);
  assert(found.length >= 14);
  const dashboard = JSON.parse(
    await Deno.readTextFile(new URL("../../docs/grafana-dashboard.json", import.meta.url)),
  ) as { panels: { targets: { expr: string }[] }[] };
  const more = dashboard.panels.flatMap((p) => p.targets.map((t) => t.expr));
  assert(more.length >= 20);
  return [...found, ...more];
}

Deno.test("each metric in the rules and the dashboard exists, with its labels", async () => {
  const metrics = new Map(registry.getMetricsAsArray().map((m) => [m.name, m]));
  const base = (name: string) => name.replace(/_(?:count|sum|bucket)$/, "");
  for (const expr of await expressions()) {
    for (const name of names(expr)) {
      assert(metrics.has(name) || metrics.has(base(name)), `${name}, in: ${expr}`);
    }
    for (const [metric, label] of labels(expr)) {
      const m = (metrics.get(metric) ?? metrics.get(base(metric)))!;
      const known = (m as unknown as { labelNames: string[] }).labelNames;
      assert(known.includes(label), `${metric} has no label ${label}, in: ${expr}`);
    }
  }
});

Deno.test("the names that the original's alerting rules look at are there", () => {
  const there = new Set(registry.getMetricsAsArray().map((m) => m.name));
  for (
    const name of [
      "mox_panic_total",
      "mox_dnsbl_ips_success",
      "mox_queue_delivery_duration_seconds",
      "mox_smtpserver_errors_total",
      "mox_httpserver_request_duration_seconds",
      "mox_queue_hold",
      "mox_smtpserver_submission_total",
      "mox_smtpserver_delivery_total",
      "mox_webmail_errors_total",
      "mox_webmail_submission_total",
      "sherpa_errors_total",
      "mox_tlsrptdb_session_total",
      "mox_dmarcdb_policy_evaluated_total",
      "mox_authentication_ratelimited_total",
    ]
  ) assert(there.has(name), name);
});
