import assert from "node:assert/strict";
import {
  canonicalIp,
  ConnectionLimiter,
  isLoopbackIp,
  networksOf,
  parseIp,
  RateLimiter,
} from "../../src/net/mod.ts";

Deno.test("addresses are read, and written in one spelling", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::", "::"],
    ["fe80::1%eth0", "fe80::1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ];
  for (const [text, want] of cases) assert.equal(canonicalIp(text), want);
});

Deno.test("what is no address is not taken for one", () => {
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4 ",
      "a.b.c.d",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7::8",
      "12345::",
      "g::",
      "1.2.3.4::",
      "x".repeat(100),
    ]
  ) assert.equal(parseIp(text), undefined, text);
});

Deno.test("networks are /32 /26 /21 of IPv4 and /64 /48 /32 of IPv6", () => {
  assert.deepEqual(networksOf("198.51.103.201"), [
    "198.51.103.201/32",
    "198.51.103.192/26",
    "198.51.96.0/21",
  ]);
  assert.deepEqual(networksOf("2001:db8:1234:5678:9abc::1"), [
    "2001:db8:1234:5678::/64",
    "2001:db8:1234::/48",
    "2001:db8::/32",
  ]);
  assert.deepEqual(networksOf("::ffff:198.51.103.201"), networksOf("198.51.103.201"));
});

Deno.test("loopback is 127/8 and ::1", () => {
  for (const ip of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopbackIp(ip), true);
  }
  for (const ip of ["128.0.0.1", "::2", "::", "0.0.0.0", "localhost"]) {
    assert.equal(isLoopbackIp(ip), false);
  }
});

Deno.test("a rate is limited per address and per wider network, until the window is over", () => {
  let now = 1_000_000 * 60_000;
  const limiter = new RateLimiter([{ window: 60_000, limits: [2, 3, 4] }], { now: () => now });
  assert.equal(limiter.take("192.0.2.1"), true);
  assert.equal(limiter.take("192.0.2.1"), true);
  assert.equal(limiter.take("192.0.2.1"), false); // /32
  assert.equal(limiter.take("192.0.2.2"), true);
  assert.equal(limiter.take("192.0.2.3"), false); // /26
  assert.equal(limiter.take("192.0.2.65"), true);
  assert.equal(limiter.take("192.0.2.129"), false); // /21
  assert.equal(limiter.take("192.0.8.1"), true);
  now += 60_000;
  assert.equal(limiter.take("192.0.2.1", 2), true);
  assert.equal(limiter.allows("192.0.2.1"), false);
  assert.equal(limiter.take("192.0.2.2", 2), false);
  assert.equal(limiter.take("192.0.2.2", 1), true);
});

Deno.test("what is refused by one window isn't counted in another", () => {
  let now = 86_400_000 * 20_000;
  const limiter = new RateLimiter([
    { window: 60_000, limits: [1, 9, 9] },
    { window: 3600_000, limits: [3, 9, 9] },
  ], { now: () => now });
  for (let i = 0; i < 10; i++) limiter.take("192.0.2.1");
  now += 60_000;
  assert.equal(limiter.take("192.0.2.1"), true);
  now += 60_000;
  assert.equal(limiter.take("192.0.2.1"), true);
  now += 60_000;
  assert.equal(limiter.take("192.0.2.1"), false);
});

Deno.test("old windows are forgotten", () => {
  let now = 0;
  const limiter = new RateLimiter([{ window: 1000, limits: [1, 100, 10_000] }], {
    now: () => now,
  });
  for (let round = 0; round < 50; round++) {
    now += 1000;
    for (let i = 0; i < 1000; i++) {
      assert.equal(limiter.take(`10.${round}.${i >> 8}.${i & 255}`) || i >= 100, true);
    }
  }
});

Deno.test("open connections are counted per network", () => {
  const limiter = new ConnectionLimiter([1, 2, 3]);
  assert.equal(limiter.add("2001:db8::1"), true);
  assert.equal(limiter.add("2001:db8::2"), false);
  assert.equal(limiter.add("2001:db8:0:1::1"), true);
  assert.equal(limiter.add("2001:db8:0:2::1"), false);
  assert.equal(limiter.add("2001:db8:1::1"), true);
  assert.equal(limiter.add("2001:db8:2::1"), false);
  limiter.remove("2001:db8::1");
  assert.equal(limiter.add("2001:db8::2"), true);
});

Deno.test("what was used comes back steadily, and nothing depends on where a minute begins", () => {
  for (const start of [0, 59_999, 86_399_999, 123_456_789]) {
    let now = start;
    const limiter = new RateLimiter([{ window: 60_000, limits: [10, 100, 100] }], {
      now: () => now,
    });
    for (let i = 0; i < 10; i++) assert.equal(limiter.take("192.0.2.1"), true);
    assert.equal(limiter.take("192.0.2.1"), false);
    now += 5_999;
    assert.equal(limiter.take("192.0.2.1"), false);
    now += 1;
    assert.equal(limiter.take("192.0.2.1"), true);
    assert.equal(limiter.take("192.0.2.1"), false);
  }
});
