/** Delivery to a small world of hosts, each misbehaving in its own way. */
import assert from "node:assert/strict";
import { enforcedFor, World } from "./world.ts";
import { fullForEver, manners, rows } from "./world_hosts.ts";

/** Milliseconds after which a silent host is given up: far above what others take. */
const patience = 2_000;
const timeouts = {
  greeting: patience,
  hello: patience,
  mail: patience,
  rcpt: patience,
  data: patience,
};

/** What the table says, as text. */
function shown(rows: readonly string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows.map((r) => r.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd()).join("\n");
}

Deno.test("each message to each host ends exactly once, with a restart in the middle", async () => {
  await using world = await World.make({
    deliverer: {
      tlsPolicy: enforcedFor((d) => d.endsWith(".enforced.example")),
      timeouts: { ...timeouts, message: patience },
    },
  });
  await world.host(fullForEver, { mail: () => "452 4.3.1 disk full" });
  for (const [i, row] of rows.entries()) {
    const ip = `127.7.0.${i + 1}`;
    if (row.host) await world.host(ip, { extensions: manners, ...row.host });
    world.resolver.add(
      row.zone?.(ip) ??
        { [row.domain]: { MX: [`10 mx.${row.domain}`] }, [`mx.${row.domain}`]: { A: [ip] } },
    );
  }
  await world.open();
  const sent: { address: string; ends: string; copies: number }[] = [];
  for (const row of rows) {
    const to = (row.to ?? ["x"]).map((l) => `${l}@${row.domain}`);
    await world.send(to, { header: row.header, body: row.body });
    sent.push(
      ...to.map((address, i) => ({
        address,
        ends: row.ends[i],
        copies: row.ends[i] === "delivered" ? row.copies ?? 1 : 0,
      })),
    );
  }
  await world.queue.start();
  await world.queue.idle();
  await world.open();
  await world.queue.start();
  await world.settle();

  const queued = world.queue.list().map((i) => i.address);
  const ends = sent.map(({ address }) => {
    const all = [
      ...world.events.filter((e) => e.kind === "delivered" && e.item.address === address)
        .map(() => "delivered"),
      ...world.bounced(address),
      ...queued.filter((q) => q === address).map(() => "queued"),
    ];
    const ascii = address.replace("b\u00fccher", "xn--bcher-kva");
    return { address, ends: all.join(" and "), copies: world.taken(ascii) };
  });
  const attempts = new Map(world.events.map((e) => [e.item.domain, e.item.attempts]));
  console.log(shown([
    ["host", "ends", "attempts", "copies"],
    ...rows.map((row) => {
      const of = ends.filter((e) => e.address.endsWith(`@${row.domain}`));
      return [
        row.what,
        [...new Set(of.map((e) => e.ends))].join(", "),
        String(attempts.get(row.domain)),
        of.map((e) => e.copies).join(" "),
      ];
    }),
  ]));
  const count = (what: RegExp) => ends.filter((e) => what.test(e.ends)).length;
  console.log(
    `${sent.length} recipients: ${count(/^delivered$/)} delivered, ${
      count(/^\d+ [\d.]+$/)
    } bounced, ` +
      `${count(/^queued$/)} queued, ${count(/ and |^$/)} otherwise`,
  );
  assert.deepEqual(ends, sent);
  for (const row of rows) {
    if (row.ends.every((e) => e === row.ends[0])) {
      assert.equal(attempts.get(row.domain), row.attempts ?? 1, row.domain);
    }
  }
});
