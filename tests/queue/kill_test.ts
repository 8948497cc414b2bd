/** SIGKILL in the middle of deliveries, again and again: nothing is lost, and nothing ends in two ways. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FakeHost, fakeHost, type FakeOptions } from "../smtp/fake_host.ts";

const work = fileURLToPath(new URL("./kill_work.ts", import.meta.url));

let n = 0;
const hosts: Record<string, FakeOptions> = {
  good: {},
  grey: { rcpt: () => n++ % 2 === 0 ? "451 4.7.1 greylisted" : undefined },
  refusing: { rcpt: () => "550 5.1.1 gone" },
  dropping: { data: () => n++ % 3 === 0 ? "drop" : undefined },
  losing: { message: () => n++ % 3 === 0 ? "lose" : undefined },
  five: { rcpt: (l) => l.includes("c@") ? "550 5.1.1 gone" : undefined },
};

Deno.test("SIGKILL during deliveries: each recipient ends, in one way, with a copy more at most per kill", async () => {
  const dir = await Deno.makeTempDir();
  const running: FakeHost[] = [];
  try {
    let port = 0;
    const zone: Record<string, { A: string[] }> = {};
    for (const [i, [name, options]] of Object.entries(hosts).entries()) {
      const address = `127.7.8.${i + 1}`;
      const host = await fakeHost({ ...options, address, port });
      port = host.port;
      running.push(host);
      zone[`${name}.example`] = { A: [address] };
    }
    const to = Object.keys(hosts).flatMap((name) =>
      Array.from(
        { length: 10 },
        (_, i) =>
          (name === "five" ? ["a", "b", "c", "d", "e"] : ["x"]).map((l) =>
            `${i}${l}@${name}.example`
          ),
      )
    );
    const start = (fill: boolean) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", work, dir, String(port), JSON.stringify(zone)]
          .concat(fill ? [JSON.stringify(to)] : []),
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
    const commands = () => running.reduce((sum, h) => sum + h.commands.length, 0);

    const kills = 5;
    let killed = 0;
    for (let k = 0; k < kills; k++) {
      const child = start(k === 0);
      const before = commands();
      const status = child.status;
      let ended = false;
      status.then(() => ended = true);
      // Each in another place: so many commands after its first.
      while (!ended && commands() < before + 10 + k * 37) {
        await new Promise((r) => setTimeout(r, 1));
      }
      if (!ended) child.kill("SIGKILL");
      await child.stdout.cancel();
      if ((await status).signal === "SIGKILL") killed++;
    }
    // On a slow machine the last may be through before it can be killed.
    assert.ok(killed >= 2);
    const last = await start(false).output();
    assert.equal(new TextDecoder().decode(last.stdout), "left 0\n");

    const told = (await Deno.readTextFile(join(dir, "events"))).trimEnd().split("\n");
    const mails = running.flatMap((h) => h.mails);
    let copies = 0;
    for (const address of to.flat()) {
      const ends = new Set(
        told.filter((t) => t.startsWith(`${address} `)).map((t) => t.split(" ")[1]),
      );
      const taken = mails.filter((m) => m.to.includes(address)).length;
      const refused = address.includes("c@") || address.endsWith("@refusing.example");
      assert.deepEqual([...ends], [refused ? "failed" : "delivered"], address);
      assert.ok(refused ? taken === 0 : taken >= 1, `${address} was taken ${taken} times`);
      copies += Math.max(0, taken - 1);
      assert.ok(taken <= 1 + killed, address);
    }
    console.log(
      `${to.flat().length} recipients, ${killed} kills, ${copies} copies more than needed`,
    );
  } finally {
    for (const h of running) await h[Symbol.asyncDispose]();
    await Deno.remove(dir, { recursive: true });
  }
});
