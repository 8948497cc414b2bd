/** How metrics went over time, as the admin page shows it. */
import assert from "node:assert/strict";
import { MetricsHistory } from "../../src/metrics/history.ts";
import { counter, gauge } from "../../src/metrics/mod.ts";

const calls = counter("test_history_calls_total", "For this test.", { result: ["ok", "bad"] });
const level = gauge("test_history_level", "For this test.");

Deno.test("rises of a counter and levels of a gauge; the oldest go first", async () => {
  const h = new MetricsHistory({
    ok: { metric: "test_history_calls_total", fits: (l) => l.result === "ok" },
    all: { metric: "test_history_calls_total" },
    level: { metric: "test_history_level" },
    none: { metric: "test_history_that_is_not_there" },
  }, { length: 3 });
  for (const [ok, bad, now] of [[0, 0, 5], [2, 1, 7], [3, 0, 6], [0, 4, 1]]) {
    calls.inc({ result: "ok" }, ok);
    calls.inc({ result: "bad" }, bad);
    level.set(now);
    await h.look();
  }
  calls.inc({ result: "ok" }, 10);
  const now = await h.values();
  assert.deepEqual(now, { ok: 15, all: 20, level: 1, none: 0 });
  // Three looks are kept, so two rises between them, and the one since.
  assert.deepEqual(h.rises("ok", now.ok), [3, 0, 10]);
  assert.deepEqual(h.rises("all", now.all), [3, 4, 10]);
  assert.deepEqual(h.levels("level"), [7, 6, 1]);
  assert.deepEqual(h.rises("none", now.none), [0, 0, 0]);
});
