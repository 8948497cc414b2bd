/** A node and its standby, which follows it, and takes its place: when asked, and after the node was killed. */
import assert from "node:assert/strict";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { callControl } from "../../src/serve/control/control.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { moxIn, startServe } from "./instance.ts";
import {
  caughtUp,
  conf,
  domainsConf,
  load,
  password,
  type Place,
  prepare,
  subjects,
  verified,
} from "./standby_pair.ts";
import { zoneServer } from "./zone.ts";

Deno.test({
  name: "standby: follows, takes the node's place, and only one of them serves",
  ignore: !isLinux || !isRoot(),
  async fn(test) {
    using dns = await zoneServer([
      { name: "sender.example", type: "TXT", data: ["v=spf1 ip4:127.0.0.1 -all"] },
      { name: "sender.example", type: "A", data: "127.0.0.1" },
      { name: "relay.example", type: "A", data: "127.0.0.1" },
    ]);
    const env = { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` };
    // Takes nothing until it is told to.
    let takes = "";
    await using relay = await fakeHost({
      rcpt: (line) => line.includes(takes || "none") ? "250 2.1.5 ok" : "451 4.3.0 later",
    });
    const home = await prepare(false, relay.port);
    const away = await prepare(true, relay.port);
    const start = async (p: Place, command = "serve") => {
      p.server = startServe(p.dir, env, command);
      await p.server.logged(/mox is (?:running|a standby)/);
    };
    // Each step begins where the one before has ended.
    const step = async (name: string, fn: () => Promise<void>) => {
      if (!await test.step(name, fn)) throw new Error(`failed: ${name}`);
    };
    /** What `mox status` prints, when it says what is waited for. */
    const well = async (p: Place, when: (text: string) => boolean = () => true) => {
      for (;;) {
        const r = await moxIn(p.dir, [...conf(p), "status"]);
        const [state] = r.stdout.split(":");
        assert.equal(r.code, { ok: 0, warning: 1, critical: 2 }[state as "ok"], r.stderr);
        if (when(r.stdout)) return r.stdout;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const promote = (p: Place, ...flags: string[]) =>
      moxIn(p.dir, [...conf(p), "promote", ...flags]);
    try {
      for (const p of [home, away]) {
        await Deno.writeTextFile(`${p.dir}/config/domains.conf`, domainsConf(home, away));
      }
      await start(home);
      const set = await moxIn(home.dir, [...conf(home), "setaccountpassword", "ann"], {
        stdin: `${password}\n`,
      });
      assert.equal(set.code, 0, set.stderr);
      const before = load(home, "before");
      await before.enough;
      await before.end();
      const sent = new Set(before.acknowledged.keys());
      for (const to of ["first", "second"]) {
        await callControl(`${home.dir}/data`, "sendmail", {
          from: "ann@mox.example",
          recipients: [`${to}@to.example`],
          fromHeader: false,
          message: `Subject: ${to}\n\nHello.\n`,
        });
      }
      /** Has what is queued tried, of which the relay takes the one for an address. */
      const sends = async (p: Place, to: string) => {
        takes = to;
        await callControl(`${p.dir}/data`, "queue schedule", { filter: {}, time: Date.now() });
        const left = async () => {
          const all = await callControl(`${p.dir}/data`, "queue list", { filter: { to } });
          return (all as unknown[]).length;
        };
        for (const end = Date.now() + 60_000; await left() > 0;) {
          const all = await callControl(`${p.dir}/data`, "queue list", { filter: {} });
          if (Date.now() > end) throw new Error(`still queued: ${JSON.stringify(all)}`);
          await new Promise((r) => setTimeout(r, 50));
        }
      };

      await step("a copy serves nobody, and can't be promoted before it is whole", async () => {
        const early = await promote(away, "-force");
        assert.equal(early.code, 1);
        await start(away, "standby");
        await away.server.logged(/the copy is whole/);
        // The node knows of it when the next round begins.
        assert.match(
          await well(home, (l) => /^ok: standby/m.test(l)),
          /^ok: standby: follows this node$/m,
        );
        assert.match(
          await well(away),
          /^\w+: mox \S+ on mail\.mox\.example, standby of one, since .*\n(?:.*\n)*ok: node: follows one$/m,
        );
        const second = startServe(away.dir, env);
        assert.equal(await second.ended, 1);
        assert.match(second.log(), /another mox is running/);
        await away.server.end("SIGTERM");
        assert.match(
          await well(home, (l) => /^warning: standby/m.test(l)),
          /^warning: standby: is away: what comes now is here only$/m,
        );
        const third = startServe(away.dir, env);
        assert.equal(await third.ended, 1);
        assert.match(third.log(), /is the copy of a standby/);
        await verified(away);
        await start(away, "standby");
      });

      await step("under load the node hands over, and nothing is lost", async () => {
        const under = load(home, "planned");
        await under.enough;
        const asked = Date.now();
        const done = await promote(away);
        const took = Date.now() - asked;
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stdout, /handed over everything/);
        await under.end();
        assert.equal(await home.server.ended, 0);
        assert.equal(await away.server.ended, 0);
        await verified(away);
        await start(away);
        for (const id of under.acknowledged.keys()) sent.add(id);
        const found = await subjects(away);
        assert.deepEqual([...sent].filter((id) => !found.has(id)), []);
        await sends(away, "first@to.example");
        console.log(
          `standby: ${sent.size} messages, handed over in ${took} ms, serving ${
            Date.now() - asked
          } ms after it was asked`,
        );
      });

      await step(
        "the node that was replaced refuses to serve, and becomes the standby",
        async () => {
          const again = startServe(home.dir, env);
          assert.equal(await again.ended, 1);
          assert.match(again.log(), /standby has taken its place/);
          await start(home, "standby");
          await home.server.logged(/the copy is whole/);
          assert.match(home.server.log(), /kept aside/);
        },
      );

      await step(
        "killed under load: what came before the last round is there, and -force is needed",
        async () => {
          const under = load(away, "killed");
          await under.enough;
          const known = [...under.acknowledged.keys()];
          await caughtUp(home);
          const killed = Date.now();
          await away.server.end("SIGKILL");
          await under.end();
          assert.match(
            await well(home, (l) => /^warning: node/m.test(l)),
            /^warning: node: one can't be followed just now: the copy is what one had at \d{4}-\S+ \S+ UTC$/m,
          );
          const refused = await promote(home);
          assert.equal(refused.code, 1);
          assert.match(refused.stderr, /has not handed over.*-force/s);
          const forced = await promote(home, "-force");
          assert.equal(forced.code, 0, forced.stderr);
          assert.equal(await home.server.ended, 0);
          await verified(home);
          await start(home, "standby");
          const found = await subjects(home);
          const kept = [...under.acknowledged].filter(([id]) => found.has(id));
          assert.deepEqual(known.filter((id) => !found.has(id)), []);
          assert.deepEqual([...sent].filter((id) => !found.has(id)), []);
          await sends(home, "second@to.example");
          const last = Math.max(...kept.map(([, at]) => at));
          console.log(
            `standby: of ${under.acknowledged.size} before the kill ${kept.length} are there, the last of them ${
              killed - last
            } ms before`,
          );
        },
      );

      await step("one that was killed asks before it serves, and doesn't", async () => {
        const again = startServe(away.dir, env);
        assert.equal(await again.ended, 1);
        assert.match(again.log(), /standby has taken its place/);
      });

      await step("one that was cut off and comes back stops by itself", async () => {
        await start(away, "standby");
        await away.server.logged(/the copy is whole/);
        await caughtUp(away);
        Deno.kill(home.server.pid, "SIGSTOP");
        const forced = await promote(away, "-force");
        assert.equal(forced.code, 0, forced.stderr);
        await away.server.ended;
        await start(away);
        Deno.kill(home.server.pid, "SIGCONT");
        assert.equal(await home.server.ended, 0);
        assert.match(home.server.log(), /the standby serves in this node's place/);
        const found = await subjects(away);
        assert.deepEqual([...sent].filter((id) => !found.has(id)), []);
        // Of four that had the queue each message went out once.
        await callControl(`${away.dir}/data`, "queue schedule", { filter: {}, time: Date.now() });
        const subjectsOut = relay.mails.map((m) => /^Subject: (\S+)/m.exec(m.data)?.[1]);
        assert.deepEqual(subjectsOut, ["first", "second"]);
      });
    } finally {
      for (const p of [home, away]) {
        await p.server?.end("SIGKILL");
        await Deno.remove(p.dir, { recursive: true });
      }
    }
  },
});
