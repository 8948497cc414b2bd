/** `mox status` with its exit status, and /health and /ready, of a server as it is shipped; what is found wrong. */
import assert from "node:assert/strict";
import * as admin from "../../src/admin/mod.ts";
import { Config } from "../../src/config/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import type { Queue } from "../../src/queue/mod.ts";
import { noteBackup } from "../../src/store/backup/last_backup.ts";
import { freePorts } from "../support/ports.ts";
import { moxIn, startServe, writeSmallConfig } from "./instance.ts";

Deno.test({
  name: "status, health and readiness of a server that runs",
  ignore: !isLinux,
  async fn(t) {
    const dir = await Deno.makeTempDir({ prefix: "mox-status-" });
    await Deno.chmod(dir, 0o755);
    const [smtp, imap, metrics] = await freePorts(3);
    await writeSmallConfig(dir, { ports: { smtp, imap } });
    const conf = `${dir}/config/mox.conf`;
    await Deno.writeTextFile(
      conf,
      (await Deno.readTextFile(conf)).replace(
        "Postmaster:",
        `\t\tMetricsHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${metrics}\nPostmaster:`,
      ),
    );
    const status = (...args: string[]) => moxIn(dir, ["status", ...args]);
    const get = async (path: string) => {
      const r = await fetch(`http://127.0.0.1:${metrics}${path}`);
      return [r.status, await r.text()];
    };
    try {
      const none = await status();
      assert.equal(none.code, 3);
      assert.match(none.stderr, /no mox is running/);
      const server = startServe(dir);
      try {
        await server.logged(/mox is running/);
        await t.step("what it says", async () => {
          const r = await status();
          const [head, ...rest] = r.stdout.trim().split("\n");
          assert.match(head, /^(?:ok|warning|critical): mox \S+ on mail\.mox\.example, since /);
          assert.match(rest.join("\n"), /^ok: queue: 0 messages, 0 of them on hold$/m);
          assert.match(rest.join("\n"), /^\w+: disk: .* free for /m);
          const json = JSON.parse((await status("-json")).stdout);
          assert.equal(r.code, { ok: 0, warning: 1, critical: 2 }[json.state as "ok"]);
        });
        await t.step("the probes", async () => {
          assert.deepEqual(await get("/health"), [200, "ok\n"]);
          assert.deepEqual(await get("/ready"), [200, "ok\n"]);
          assert.equal((await get("/nothing"))[0], 404);
        });
        await t.step("a backup that failed is critical", async () => {
          await noteBackup(`${dir}/data`, {
            destination: "/backup",
            started: Date.now(),
            ended: Date.now(),
            ok: false,
            text: "the disk is full",
          });
          await Deno.chmod(`${dir}/data/lastbackup.json`, 0o644);
          const r = await status("-quiet");
          assert.equal(r.code, 2);
          assert.match(r.stdout, /^critical: backup: failed today: the disk is full$/m);
          assert.doesNotMatch(r.stdout, /^ok/m);
        });
        await t.step("it isn't in the audit log", async () => {
          const log = await Deno.readTextFile(`${dir}/data/audit.jsonl`).catch(() => "");
          assert.doesNotMatch(log, /"action":"status"/);
        });
      } finally {
        await server.end("SIGTERM");
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test("what is found wrong", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeSmallConfig(dir, { ports: { smtp: 2525, imap: 2143 } });
    await Deno.mkdir(`${dir}/data/tmp`, { recursive: true });
    const config = await Config.load(`${dir}/config/mox.conf`);
    const now = Date.now();
    const minute = 60_000;
    const day = 86_400_000;
    const look = async (
      o: {
        free?: number;
        due?: number;
        ends?: number | null;
        backup?: number;
        scanner?: string;
        standby?: "none" | "follows" | "away";
      },
    ) => {
      if (o.backup !== undefined) {
        const at = now - o.backup;
        await noteBackup(config.dataDir, {
          destination: "/b",
          started: at,
          ended: at,
          ok: true,
          text: "",
        });
      }
      const queue = {
        list: () => o.due === undefined ? [] : [{ nextAttempt: now - o.due }],
        count: () => 1,
      } as unknown as Queue;
      const ends = o.ends === undefined
        ? []
        : [{ name: "x", notAfter: o.ends === null ? undefined : now + o.ends, error: undefined }];
      const checks = await admin.serverHealth({
        config,
        queue,
        certificates: () => ends,
        scanners: () =>
          "scanner" in o ? [{ name: "r", error: o.scanner, since: now - minute }] : [],
        standby: () => o.standby ?? "none",
        now: () => now,
        free: () => Promise.resolve(o.free ?? 100e9),
      });
      return checks[0].state === "ok" ? "ok" : `${checks[0].state} ${checks[0].name}`;
    };
    const table: [Parameters<typeof look>[0], string][] = [
      [{}, "ok"],
      [{ free: 4e9 }, "warning disk"],
      [{ free: 9e8 }, "critical disk"],
      [{ due: 14 * minute }, "ok"],
      [{ due: 16 * minute }, "warning queue"],
      [{ due: 121 * minute }, "critical queue"],
      [{ ends: 20 * day }, "ok"],
      [{ ends: 13 * day }, "warning certificate x"],
      [{ ends: 2 * day }, "critical certificate x"],
      [{ ends: -1 }, "critical certificate x"],
      [{ ends: null }, "critical certificate x"],
      [{ scanner: undefined }, "ok"],
      [{ scanner: "refused" }, "critical scanner r"],
      [{ standby: "follows" }, "ok"],
      [{ standby: "away" }, "warning standby"],
      [{ standby: "away", scanner: "refused" }, "critical scanner r"],
      [{ backup: 7 * day }, "ok"],
      [{ backup: 9 * day }, "warning backup"],
    ];
    for (const [given, said] of table) assert.equal(await look(given), said, JSON.stringify(given));
    assert.equal(await admin.whyNotReady({ config, free: () => Promise.resolve(1e9) }), undefined);
    assert.equal(
      await admin.whyNotReady({ config, free: () => Promise.resolve(1e6) }),
      "the disk is full",
    );
    await Deno.remove(`${dir}/data/tmp`, { recursive: true });
    assert.equal(await admin.whyNotReady({ config }), "the data folder can't be written");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
