/** Guessing passwords: from one address, from many, and what the account's owner notices. */
import assert from "node:assert/strict";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { registry } from "../../src/metrics/mod.ts";
import { type Admission, LoginGuard, LoginLimited } from "../../src/net/mod.ts";

const ann = "ann@mox.example";
const way = { mechanism: "plain" };

/** A guard whose clock stands, but for what is waited. */
function world(start = 86_400_000 * 20_000, exemptLoopback = false) {
  const clock = { now: start, waited: 0 };
  const guard = new LoginGuard({
    now: () => clock.now,
    exemptLoopback,
    accountOf: (login) => login.endsWith("@mox.example") ? login.split("@")[0] : undefined,
    sleep: (ms) => {
      // Answers to failures wait too; only waiting before a check counts here.
      if (ms > 150) clock.waited += ms;
      return Promise.resolve();
    },
  });
  const admit = (remoteIp: string, login = ann) =>
    guard.admit({ service: "imap", remoteIp, login });
  const fail = async (remoteIp: string, login = ann): Promise<boolean> => {
    try {
      await (await admit(remoteIp, login)).done("badcreds", way);
      return true;
    } catch (e) {
      assert.ok(e instanceof LoginLimited);
      assert.ok(e.retryAfter >= 1);
      return false;
    }
  };
  const succeed = async (remoteIp: string, login = ann) => {
    await (await admit(remoteIp, login)).done("ok", way);
  };
  return { clock, guard, admit, fail, succeed };
}

Deno.test("an address has 10 failures at once and then one in 6 s, whenever it begins", async () => {
  for (const start of [86_400_000 * 20_000, 86_400_000 * 20_000 - 1, 1_700_000_059_999]) {
    const { clock, fail } = world(start);
    for (let i = 0; i < 10; i++) assert.equal(await fail("192.0.2.9", `u${i}@x.example`), true);
    assert.equal(await fail("192.0.2.9"), false);
    clock.now += 5_999;
    assert.equal(await fail("192.0.2.9", "other@x.example"), false);
    clock.now += 1;
    assert.equal(await fail("192.0.2.9", "other@x.example"), true);
    assert.equal(await fail("192.0.2.9", "other@x.example"), false);
  }
});

Deno.test("tries that run at the same time take their places first", async () => {
  const { admit } = world();
  const tries = await Promise.allSettled(
    Array.from({ length: 28 }, (_, i) => admit("192.0.2.9", `user${i}@x.example`)),
  );
  assert.equal(tries.filter((t) => t.status === "fulfilled").length, 10);
});

Deno.test("what was right, and what was broken off, costs nothing", async () => {
  const { admit, succeed, fail } = world();
  for (let i = 0; i < 100; i++) await succeed("192.0.2.9");
  for (let i = 0; i < 100; i++) await (await admit("192.0.2.10")).done("aborted", way);
  // Twice told is once counted.
  const twice = await admit("192.0.2.11");
  await twice.done("aborted", way);
  await twice.done("aborted", way);
  for (const ip of ["192.0.2.9", "192.0.2.10", "192.0.2.11"]) {
    let n = 0;
    while (await fail(ip, `new${n}@x.example`)) n++;
    assert.equal(n, 10, ip);
  }
});

Deno.test("a login forgives its place's own failures, and those of nobody else", async () => {
  const { fail, succeed } = world();
  for (let i = 0; i < 9; i++) assert.equal(await fail("192.0.2.9"), true);
  await succeed("192.0.2.9");
  for (let i = 0; i < 9; i++) assert.equal(await fail("192.0.2.9"), true);
  // Somebody's own account does not pay for guesses at another.
  const other = world();
  await other.succeed("192.0.2.20", "eve@mox.example");
  let guesses = 0;
  for (let i = 0; i < 30; i++) {
    if (await other.fail("192.0.2.20")) guesses++;
    await other.succeed("192.0.2.20", "eve@mox.example");
  }
  assert.equal(guesses, 10);
});

Deno.test("guessing one account from 50 addresses: each waits, the owner at a known place doesn't", async () => {
  const { clock, fail, succeed, guard } = world();
  guard.knows("ann", "203.0.113.5", clock.now - 86_400_000);
  let guesses = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 50; i++) if (await fail(`10.${i}.0.1`)) guesses++;
  }
  // Parallel tries of a network come one after the other, so that most are refused rather than kept.
  assert.ok(guesses <= 50 * 10, `${guesses}`);
  assert.ok(clock.waited > 50 * 10_000, `${clock.waited} ms`);
  clock.waited = 0;
  for (let i = 0; i < 5; i++) await succeed("203.0.113.5");
  assert.equal(clock.waited, 0);
  // From a new place it takes a while, and works.
  await succeed("198.51.100.77");
  assert.ok(clock.waited > 0 && clock.waited <= 15_000, `${clock.waited} ms`);
  clock.waited = 0;
  await succeed("198.51.100.77");
  assert.equal(clock.waited, 0, "now the place is known");
});

Deno.test("an account is as before an hour after the last failure", async () => {
  const { clock, fail, succeed } = world();
  for (let i = 0; i < 40; i++) await fail(`10.${i}.0.1`);
  clock.now += 3_600_000;
  clock.waited = 0;
  await succeed("198.51.100.77");
  assert.equal(clock.waited, 0);
});

Deno.test("broken-off tries don't make an account forget its failures", async () => {
  const { clock, fail, admit } = world();
  for (let i = 0; i < 60; i++) await fail(`10.${i}.0.1`);
  for (let i = 0; i < 100; i++) {
    await (await admit(`10.100.${i}.1`)).done("aborted", way);
  }
  clock.waited = 0;
  await fail("10.200.0.1");
  assert.equal(clock.waited, 15_000);
});

Deno.test("four addresses don't lock their network, and strangers next door don't lock a known place", async () => {
  const { clock, fail, succeed, guard } = world();
  for (let i = 0; i < 100; i++) {
    for (const last of [1, 2, 3, 4]) await fail(`192.0.2.${last}`, `u${i}@x.example`);
  }
  await succeed("192.0.2.60");
  guard.knows("bob", "192.0.2.70", clock.now);
  for (let last = 0; last < 64; last++) {
    for (let i = 0; i < 10; i++) await fail(`192.0.2.${64 + last}`, `u${i}@x.example`);
  }
  await succeed("192.0.2.70", "bob@mox.example");
});

Deno.test("names without account are counted and kept waiting like those with one", async () => {
  const waits: number[] = [];
  for (const login of [ann, "nobody@elsewhere.example"]) {
    const { clock, fail } = world();
    for (let i = 0; i < 12; i++) assert.equal(await fail(`10.${i}.0.1`, login), true);
    waits.push(clock.waited);
  }
  assert.ok(waits[0] > 0);
  assert.equal(waits[0], waits[1]);
});

Deno.test("loopback can be exempted", async () => {
  const { clock, fail } = world(86_400_000 * 20_000, true);
  for (let i = 0; i < 200; i++) assert.equal(await fail("127.0.0.1"), true);
  assert.equal(clock.waited, 0);
});

Deno.test("refusals are counted, and each attempt is a line of one shape", async () => {
  const lines: string[] = [];
  const before = setLogSink((l) => lines.push(l));
  try {
    const now = () => 86_400_000 * 20_000;
    const guard = new LoginGuard({ now, log: new Log("auth"), sleep: () => Promise.resolve() });
    const t = {
      service: "imap",
      remoteIp: "192.0.2.9",
      login: 'a "b\n@x.example',
      cid: 0x17,
    } as const;
    let admission: Admission | undefined;
    for (let i = 0; i < 10; i++) {
      admission = await guard.admit(t);
      await admission.done("badcreds", {
        mechanism: "PLAIN",
        reason: "wrong user name or password",
      });
    }
    await assert.rejects(() => guard.admit(t), LoginLimited);
  } finally {
    setLogSink(before);
  }
  assert.match(
    lines[0],
    /l=info m="failed login" pkg=auth cid=17 remote=192\.0\.2\.9 login="a \\"b\\n@x\.example" reason="wrong user name or password" service=imap mechanism=plain\n$/,
  );
  assert.match(lines.at(-1)!, /m="failed login" .* reason=limited service=imap/);
  const metric = await registry.getSingleMetric("mox_authentication_ratelimited_total")!.get();
  assert.ok(metric.values.find((v) => v.labels.kind === "imap")!.value >= 1);
});
