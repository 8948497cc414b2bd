/** Users don't reach into the server's network through it: imports, webhooks, policies, mail. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { fc } from "../support/fast_check.ts";
import { postOneClick, postPush } from "../../src/serve/web/user_posts.ts";
import {
  Authorities,
  mailAddressRule,
  Outbound,
  parseNetwork,
  serverAddressRule,
  userAddressRule,
} from "../../src/net/mod.ts";
import { freePorts } from "../support/ports.ts";
import { type Browser, password, startWorld } from "./world.ts";

const inside = [
  "127.0.0.1",
  "127.9.9.9",
  "0.0.0.0",
  "0.1.2.3",
  "10.1.2.3",
  "100.64.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "2002:7f00:1::1",
  "2002:c0a8:101::1",
  "2001:0:1::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "fc00::1",
  "fd00:ec2::254",
  "ff02::1",
  "203.0.113.77",
  "2001:db8:77::1",
  "::ffff:203.0.113.77",
  "127.1",
  "0x7f000001",
  "2130706433",
  "localhost",
  "",
];
const outside = ["9.9.9.9", "203.0.113.5", "2620:fe::fe", "172.32.0.1", "64:ff9b::909:909"];

Deno.test("what a user chooses is on the internet and not this machine, unless the administrator says so", () => {
  const own = () => ["203.0.113.77", "2001:db8:77::1"];
  const rule = userAddressRule({ allowed: [], own });
  for (const ip of inside) assert.notEqual(rule(ip), undefined, ip);
  for (const ip of outside) assert.equal(rule(ip), undefined, ip);
  const some = userAddressRule({ allowed: ["10.0.0.0/8", "127.0.0.1", "fd00::/8"], own });
  for (const ip of ["10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "fd12::1"]) {
    assert.equal(some(ip), undefined, ip);
  }
  for (const ip of ["127.0.0.2", "192.168.1.1", "fc00::1"]) {
    assert.notEqual(some(ip), undefined, ip);
  }
  for (const bad of ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/8/8", "10.0.0.0/"]) {
    assert.throws(() => parseNetwork(bad), /is no address/, bad);
  }
  fc.assert(fc.property(fc.string(), (s) => void rule(s)));
});

Deno.test("no server is at a link's, many hosts' or nobody's address, whatever is allowed", () => {
  const all = { allowed: ["0.0.0.0/0", "::/0"], own: () => [] };
  for (const rule of [serverAddressRule, userAddressRule(all), mailAddressRule(all)]) {
    for (
      const ip of [
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "fe80::1",
        "ff02::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "nonsense",
      ]
    ) assert.ok(rule(ip), ip);
    for (const ip of ["127.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1", "::1", "fd00::1"]) {
      assert.equal(rule(ip), undefined, ip);
    }
  }
});

Deno.test("mail goes to private networks, and never into this machine", () => {
  const rule = mailAddressRule({ allowed: [] });
  for (const ip of ["127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1"]) {
    assert.notEqual(rule(ip), undefined, ip);
  }
  for (const ip of ["10.1.2.3", "9.9.9.9", "fd12::1"]) assert.equal(rule(ip), undefined, ip);
  assert.equal(mailAddressRule({ allowed: ["127.0.0.0/8"] })("127.0.0.5"), undefined);
});

/** A listener that counts who connects. */
async function listening(): Promise<{ port: number; count: () => number } & AsyncDisposable> {
  let count = 0;
  const server = createServer((s) => {
    count++;
    s.end("* OK hello\r\n");
  });
  const [port] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port,
    count: () => count,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function importError(b: Browser, host: string, port: number): Promise<string> {
  const started = await b.call("/api/ImportImap", {
    host,
    port,
    tls: true,
    user: "x",
    password: "y",
    token: false,
    mailbox: "",
  });
  if (started.status !== 200) return JSON.stringify(started.json);
  const token = String(started.json.token);
  const r = await b.request(`/import/events?token=${token}`);
  const text = await r.text();
  return /"error":"([^"]+)"/.exec(text)?.[1] ?? text;
}

Deno.test("an import from an internal server connects to nothing, and its answer tells ports and names not apart", async () => {
  await using open = await listening();
  await using w = await startWorld({ zone: { "inside.example": { A: ["127.0.0.1"] } } });
  const b = w.browser();
  await b.call("/api/Login", { username: "ann@mox.example", password });
  const answers = new Set<string>();
  for (const host of ["127.0.0.1", "10.255.255.1", "169.254.169.254", "::1", "nowhere.invalid"]) {
    const text = await importError(b, host, 993);
    answers.add(text.replaceAll(host, "HOST"));
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
  assert.match([...answers][0], /can't be reached, or is not on the internet/);
  assert.equal(open.count(), 0);
  assert.match(await importError(b, "127.0.0.1", open.port), /993|143/);
});

Deno.test("a webhook into this machine is not called, and says the same of open and closed ports", async () => {
  await using open = await listening();
  const [closed] = await freePorts(1);
  await using w = await startWorld();
  const b = w.browser();
  await b.call("/api/Login", { username: "ann@mox.example", password });
  const errors = new Set<string>();
  for (const port of [open.port, closed]) {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"]) {
      const url = `http://${host}:${port}/`;
      const set = await b.call("/api/OutgoingWebhookSet", {
        webhook: { url, authorization: "", events: [] },
      });
      assert.equal(set.status, 200, JSON.stringify(set.json));
      const r = await b.call("/api/WebhookTest", { kind: "outgoing" });
      errors.add(JSON.stringify(r.json).replace(/"took":\d+/, ""));
    }
  }
  assert.equal(open.count(), 0);
  assert.equal(errors.size, 1, [...errors].join("\n"));
});

Deno.test("push services and unsubscribing lead into no network of ours", async () => {
  await using open = await listening();
  const outbound = new Outbound({
    authorities: Authorities.of(),
    lookup: () => Promise.resolve(["127.0.0.1"]),
    forUsers: userAddressRule({ allowed: [], own: () => [] }),
  });
  for (const host of ["127.0.0.1", "[::1]", "inside.example"]) {
    const url = `http://${host}:${open.port}/`;
    await assert.rejects(postOneClick(outbound, url), { reason: "refused" });
    await assert.rejects(postPush(outbound, new URL(url), {}, new Uint8Array(1)), {
      reason: "refused",
    });
  }
  assert.equal(open.count(), 0);
});
