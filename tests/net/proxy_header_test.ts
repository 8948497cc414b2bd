/** The PROXY header: its table of good and bad forms, every cut, and random bytes. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { Networks } from "../../src/net/mod.ts";
import { crc32c, ProxyHeaderError, readProxyHeader } from "../../src/net/proxied/header.ts";

const encoder = new TextEncoder();
const v1 = (line: string) => encoder.encode(line);
const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

function v2(command: number, family: number, body: number[]): Uint8Array {
  return Uint8Array.of(...signature, command, family, body.length >> 8, body.length & 255, ...body);
}
const tlv = (
  type: number,
  value: number[],
) => [type, value.length >> 8, value.length & 255, ...value];
const ascii = (s: string) => [...encoder.encode(s)];
const ends4 = [192, 0, 2, 7, 198, 51, 100, 9, 0x12, 0x34, 0, 25];
const ends6 = [
  ...[0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 7],
  ...[0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 9],
  ...[0x12, 0x34, 0, 25],
];

Deno.test("PROXY: version 1 names both ends, or none", () => {
  assert.deepEqual(readProxyHeader(v1("PROXY TCP4 192.0.2.7 198.51.100.9 4660 25\r\nEHLO x\r\n")), {
    length: 43,
    header: {
      version: 1,
      client: { ip: "192.0.2.7", port: 4660 },
      destination: { ip: "198.51.100.9", port: 25 },
    },
  });
  const six = readProxyHeader(v1("PROXY TCP6 2001:DB8:0::7 ::ffff:1.2.3.4 1 65535\r\n"));
  assert.ok(typeof six === "object");
  assert.deepEqual(six.header.client, { ip: "2001:db8::7", port: 1 });
  for (const s of ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 what ever 0 0\r\n"]) {
    assert.deepEqual(readProxyHeader(v1(s)), { length: s.length, header: { version: 1 } });
  }
});

Deno.test("PROXY: version 2 names both ends, TLS, ALPN and the server's name", () => {
  const tls = tlv(0x20, [
    ...[1, 0, 0, 0, 0],
    ...tlv(0x21, ascii("TLSv1.3")),
    ...tlv(0x23, ascii("TLS_AES_128_GCM_SHA256")),
  ]);
  const body = [...ends4, ...tls, ...tlv(1, ascii("imap")), ...tlv(2, ascii("mail.example"))];
  const bytes = v2(0x21, 0x11, body);
  assert.deepEqual(readProxyHeader(bytes), {
    length: bytes.length,
    header: {
      version: 2,
      client: { ip: "192.0.2.7", port: 4660 },
      destination: { ip: "198.51.100.9", port: 25 },
      tls: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
      alpn: "imap",
      authority: "mail.example",
    },
  });
  const six = readProxyHeader(v2(0x21, 0x21, ends6));
  assert.ok(typeof six === "object");
  assert.deepEqual(six.header.client, { ip: "2001:db8::7", port: 4660 });
  // LOCAL, and addresses that are none of ours: the connection's own ends count.
  for (const b of [v2(0x20, 0x00, []), v2(0x20, 0x11, ends4), v2(0x21, 0x00, tlv(4, [0, 0]))]) {
    assert.deepEqual(readProxyHeader(b), { length: b.length, header: { version: 2 } });
  }
  const unix = readProxyHeader(v2(0x21, 0x31, Array<number>(216).fill(0)));
  assert.ok(typeof unix === "object" && unix.header.client === undefined);
  // The client's side was plain text.
  const plain = readProxyHeader(v2(0x21, 0x11, [...ends4, ...tlv(0x20, [0, 0, 0, 0, 1])]));
  assert.ok(typeof plain === "object" && plain.header.tls === undefined);
});

Deno.test("PROXY: a checksum is looked at", () => {
  assert.equal(crc32c(encoder.encode("123456789")), 0xe3069283);
  const bytes = v2(0x21, 0x11, [...ends4, ...tlv(3, [0, 0, 0, 0])]);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32c(bytes));
  assert.ok(typeof readProxyHeader(bytes) === "object");
  bytes[16] ^= 1;
  assert.throws(() => readProxyHeader(bytes), /checksum is wrong/);
});

Deno.test("PROXY: what is none, or lies, is refused by name", () => {
  const bad: [Uint8Array, RegExp][] = [
    [v1("PROXY TCP4 192.0.2.7 198.51.100.9 4660 25\n"), /CRLF/],
    [v1("PROXY \r\n"), /TCP4, TCP6 or UNKNOWN/],
    [v1("PROXY TCP4\r\n"), /two addresses/],
    [v1("PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n"), /TCP4, TCP6/],
    [v1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n"), /two addresses/],
    [v1("PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n"), /two addresses|no address/],
    [v1("PROXY TCP4 ::1 ::1 1 1\r\n"), /no address of TCP4/],
    [v1("PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n"), /no address of TCP6/],
    [v1("PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n"), /zone/],
    [v1("PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n"), /no address/],
    [v1("PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n"), /no port/],
    [v1("PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n"), /no port/],
    [v1("PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n"), /no port/],
    [v1(`PROXY UNKNOWN ${"x".repeat(200)}\r\n`), /no line end/],
    [v2(0x11, 0x11, ends4), /version 1/],
    [v2(0x22, 0x11, ends4), /command 2/],
    [v2(0x21, 0x41, ends4), /family 4/],
    [v2(0x21, 0x12, ends4), /TCP expected/],
    [v2(0x21, 0x13, ends4), /transport 3/],
    [v2(0x21, 0x11, ends4.slice(1)), /shorter than its addresses/],
    [v2(0x21, 0x21, ends4), /shorter than its addresses/],
    [v2(0x21, 0x11, [...ends4, 1, 0]), /cut off/],
    [v2(0x21, 0x11, [...ends4, 1, 0, 9, 1]), /longer than the header/],
    [v2(0x21, 0x11, [...ends4, ...tlv(1, [0])]), /ALPN has characters/],
    [v2(0x21, 0x11, [...ends4, ...tlv(2, ascii("a\r\nb"))]), /authority has characters/],
    [v2(0x21, 0x11, [...ends4, ...tlv(0x20, [1])]), /cut off/],
    [v2(0x21, 0x11, [...ends4, ...tlv(0x20, [1, 0, 0, 0, 0, 0x21, 0, 9])]), /longer/],
    [v2(0x21, 0x11, [...ends4, ...tlv(3, [0])]), /4 bytes/],
    [Uint8Array.of(...signature, 0x21, 0x11, 0xff, 0xff), /longer than 16384/],
  ];
  for (const [bytes, why] of bad) {
    assert.throws(() => readProxyHeader(bytes), (e) => {
      assert.ok(e instanceof ProxyHeaderError);
      assert.match(e.message, why);
      return true;
    }, `${new TextDecoder("latin1").decode(bytes)} for ${why}`);
  }
  for (const s of ["EHLO x\r\n", "proxy TCP4", "PROXYTCP4", "\r\n\r\nx", "\x16\x03\x01"]) {
    assert.equal(readProxyHeader(v1(s)), "none", s);
  }
});

Deno.test("PROXY: cut anywhere it waits for more, and takes no byte behind", () => {
  const whole = [
    v1("PROXY TCP4 192.0.2.7 198.51.100.9 4660 25\r\n"),
    v2(0x21, 0x11, [...ends4, ...tlv(1, ascii("smtp"))]),
    v2(0x20, 0x00, []),
  ];
  for (const bytes of whole) {
    for (let n = 0; n < bytes.length; n++) {
      assert.equal(readProxyHeader(bytes.subarray(0, n)), "more", `${n}`);
    }
    const more = Uint8Array.of(...bytes, 1, 2, 3);
    const read = readProxyHeader(more);
    assert.ok(typeof read === "object");
    assert.equal(read.length, bytes.length);
  }
});

Deno.test("PROXY: random bytes behind a signature give a header or a typed error", () => {
  const start = fc.constantFrom(
    Uint8Array.of(...signature),
    Uint8Array.of(...signature, 0x21, 0x11, 0, 40, ...ends4),
    Uint8Array.of(...signature, 0x21, 0x21, 0, 90, ...ends6),
    v1("PROXY "),
    v1("PROXY TCP4 1.2.3.4 "),
    v1("PROXY TCP6 ::1 "),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, rest) => {
      try {
        const read = readProxyHeader(Uint8Array.of(...head, ...rest));
        if (typeof read !== "object") return;
        assert.ok(read.length <= head.length + rest.length);
        const { client } = read.header;
        if (client) assert.ok(client.port >= 0 && client.port <= 65535);
      } catch (e) {
        assert.ok(e instanceof ProxyHeaderError, String(e));
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("networks hold addresses of their family only", () => {
  const n = new Networks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "fe80::1"]);
  for (const ip of ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:1::2", "fe80::1%eth0"]) {
    assert.ok(n.has(ip), ip);
  }
  for (const ip of ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::a01:203", "", "10", "x"]) {
    assert.ok(!n.has(ip), ip);
  }
  assert.ok(!new Networks([]).has("127.0.0.1"));
});
