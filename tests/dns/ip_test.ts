import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import {
  formatIp,
  isLoopback,
  parseIp,
  parseResolvConf,
  parseServer,
  reverseName,
  sameNetwork,
} from "../../src/dns/mod.ts";

Deno.test("addresses are read and written in canonical form", () => {
  for (
    const [text, canonical] of [
      ["192.0.2.1", "192.0.2.1"],
      ["::", "::"],
      ["::1", "::1"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["fe80::1%eth0", "fe80::1"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ]
  ) assert.equal(formatIp(parseIp(text)!), canonical, text);
});

Deno.test("what is no address is none", () => {
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4 ",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "g::",
      "::1.2.3",
      "1.2.3.4::",
      "%eth0",
    ]
  ) assert.equal(parseIp(text), undefined, text);
});

Deno.test("any 16 bytes survive being written and read; any text is read or refused", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
    const back = parseIp(formatIp(bytes))!;
    assert.equal(formatIp(back), back.length === 4 ? back.join(".") : formatIp(bytes));
  }));
  fc.assert(fc.property(fc.string(), (s) => void parseIp(s)));
});

Deno.test("networks and reverse names", () => {
  const ip = (s: string) => parseIp(s)!;
  assert(sameNetwork(ip("192.0.2.1"), ip("192.0.2.254"), 24));
  assert(!sameNetwork(ip("192.0.2.1"), ip("192.0.2.254"), 25));
  assert(sameNetwork(ip("192.0.2.1"), ip("10.0.0.1"), 0));
  assert(!sameNetwork(ip("192.0.2.1"), ip("::1"), 0));
  assert(sameNetwork(ip("2001:db8::1"), ip("2001:db8::2"), 126));
  assert.equal(reverseName(ip("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  assert.equal(
    reverseName(ip("2001:db8::1")),
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
  assert(isLoopback(ip("127.1.2.3")) && isLoopback(ip("::1")) && !isLoopback(ip("::2")));
});

Deno.test("resolv.conf: servers, trust of loopback ones and by trust-ad", () => {
  assert.deepEqual(
    parseResolvConf("# x\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nfoo\n"),
    [
      { address: "127.0.0.53", port: 53, trusted: true },
      { address: "192.0.2.1", port: 53, trusted: false },
    ],
  );
  assert.deepEqual(parseResolvConf("nameserver 2001:db8::1\noptions edns0 trust-ad\n"), [
    { address: "2001:db8::1", port: 53, trusted: true },
  ]);
  assert.deepEqual(parseResolvConf("nameserver nonsense\n"), []);
  assert.deepEqual(parseServer("[::1]:5353"), { address: "::1", port: 5353, trusted: true });
  assert.deepEqual(parseServer("192.0.2.1:5353", true), {
    address: "192.0.2.1",
    port: 5353,
    trusted: true,
  });
  assert.equal(parseServer("192.0.2.1:99999"), undefined);
  assert.equal(parseServer("ns.example.com"), undefined);
});
