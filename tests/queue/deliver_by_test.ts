/** Times to deliver by (RFC 2852), over real sockets and a clock that the tests move. */
import assert from "node:assert/strict";
import type { DeliverBy } from "../../src/queue/mod.ts";
import { mailCommand, parseExtensions } from "../../src/smtp/client/mod.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";
import { World } from "./world.ts";

const hour = 3600_000;

/** A host that takes the message after so many refusals, and what became of a message with a time. */
async function sent(o: {
  extensions?: string[];
  /** Temporary refusals before it is taken. */
  refusals?: number;
  by: (now: number) => DeliverBy;
  notify?: readonly ("never" | "success" | "failure" | "delay")[];
}) {
  await using world = await World.make();
  const commands: string[] = [];
  let refusals = o.refusals ?? 0;
  const host: FakeOptions = {
    extensions: o.extensions ?? [],
    mail: (line) => {
      commands.push(line.replace(/^MAIL FROM:<[^>]*> ?/, ""));
      return refusals-- > 0 ? "451 4.7.1 later" : undefined;
    },
  };
  await world.host("127.7.1.1", host);
  world.resolver.add({ "to.example": { MX: ["10 mx.to.example"] } });
  world.resolver.add({ "mx.to.example": { A: ["127.7.1.1"] } });
  await world.open();
  const start = world.clock.now();
  await world.send([], {
    recipients: [{ address: "x@to.example", notify: o.notify }],
    deliverBy: o.by(start),
  });
  await world.queue.start();
  await world.settle();
  const told = world.dsns.map((e) => {
    const { result } = e.recipients[0];
    return `${e.action} ${result.enhanced} after ${(result.time - start) / hour} h`;
  });
  await world.queue.stop();
  return { commands, told, taken: world.taken("x@to.example") };
}

const within = (hours: number, mode: DeliverBy["mode"], trace = false) => (now: number) => ({
  until: now + hours * hour,
  mode,
  trace,
});

Deno.test("RFC 2852 §4: BY has what is left of the time, at each attempt", async () => {
  const r = await sent({
    extensions: ["DELIVERBY"],
    refusals: 2,
    by: within(1, "return", true),
  });
  // Attempts after 7.5 and 15 minutes.
  assert.deepEqual(r.commands, ["BY=3600;RT", "BY=3150;RT", "BY=2250;RT"]);
  assert.equal(r.taken, 1);
  // Traced: the sender is told that it was passed on.
  assert.deepEqual(r.told, ["relayed 2.0.0 after 0.375 h"]);
});

Deno.test("RFC 2852: a message that is to go back does so at its time, without another attempt", async () => {
  const r = await sent({ extensions: ["DELIVERBY"], refusals: 99, by: within(1, "return") });
  assert.deepEqual(r.commands, ["BY=3600;R", "BY=3150;R", "BY=2250;R", "BY=450;R"]);
  assert.deepEqual(r.told, ["failed 5.4.7 after 1 h"]);
  assert.equal(r.taken, 0);
});

Deno.test("RFC 2852: it does not go to a server that would not watch it, or takes longer", async () => {
  const without = await sent({ by: within(1, "return") });
  assert.deepEqual([without.commands, without.taken], [[], 0]);
  assert.deepEqual(without.told, ["failed 5.3.3 after 0 h"]);
  const slow = await sent({ extensions: ["DELIVERBY 7200"], by: within(1, "return") });
  assert.deepEqual([slow.taken, slow.told], [0, ["failed 5.4.7 after 0 h"]]);
});

Deno.test("RFC 2852: with notify the sender is told when the time is over, and it is tried on", async () => {
  const r = await sent({ extensions: ["DELIVERBY 7200"], refusals: 5, by: within(1, "notify") });
  assert.deepEqual(r.commands.slice(0, 5), [
    "BY=3600;N",
    "BY=3150;N",
    "BY=2250;N",
    "BY=450;N",
    // At the time itself.
    "BY=0;N",
  ]);
  assert.match(r.commands[5], /^BY=-\d+;N$/);
  assert.deepEqual([r.taken, r.told], [1, ["delayed 4.7.1 after 1 h"]]);
});

Deno.test("RFC 2852: a server that doesn't watch the time is told of, unless that is not wanted", async () => {
  const r = await sent({ extensions: ["DSN"], by: within(1, "notify") });
  assert.deepEqual([r.taken, r.told, r.commands], [1, ["relayed 2.0.0 after 0 h"], [""]]);
  const never = await sent({ refusals: 5, by: within(1, "notify", true), notify: ["never"] });
  assert.deepEqual([never.taken, never.told], [1, []]);
});

Deno.test("a time survives a restart of the queue", async () => {
  await using world = await World.make();
  await world.open();
  const until = world.clock.now() + hour;
  await world.send(["x@to.example"], { deliverBy: { until, mode: "return", trace: true } });
  await world.open();
  const [item] = world.queue.list();
  assert.deepEqual(world.queue.message(item.messageId)?.deliverBy, {
    ...{ until, mode: "return", trace: true },
  });
  await world.queue.stop();
});

Deno.test("DELIVERBY in EHLO is read with its least, and BY has nine digits at most", () => {
  const x = (line: string) => parseExtensions(["host", line]);
  assert.deepEqual(
    ["DELIVERBY", "deliverby 20", "DELIVERBY x", "DSN"].map((l) => x(l).deliverBy),
    [0, 20, 0, undefined],
  );
  const command = (seconds: number, line = "DELIVERBY") =>
    mailCommand({
      ...{ mailFrom: "a@b", recipients: [], size: 1, body: "7bit", smtpUtf8: false },
      deliverBy: { seconds, mode: "notify", trace: true },
    }, x(line));
  assert.equal(command(5), "MAIL FROM:<a@b> BY=5;NT");
  assert.equal(command(-7), "MAIL FROM:<a@b> BY=-7;NT");
  assert.equal(command(5, "DSN"), "MAIL FROM:<a@b>");
});
