/** `mox mtasts lookup` and `mox dane`, each as a process of its own. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fakeServer } from "../dns/fake_server.ts";
import { mox } from "../support/localserve.ts";
import { certificate, startServer } from "../smtp/talk.ts";
import { zoneServer } from "./dns_server.ts";

Deno.test("dane makerecord, and dane dial with a record that matches and one that doesn't", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/cert.pem`, certificate.cert);
  await Deno.writeTextFile(`${dir}/key.pem`, certificate.key);
  await using smtp = await startServer();
  try {
    const made = await mox([
      "dane",
      "makerecord",
      "dane-ee",
      "spki",
      "sha2-256",
      `${dir}/cert.pem`,
    ]);
    assert.match(made.stdout, /^3 1 1 [0-9a-f]{64}\n$/);
    // The key gives the same.
    const ofKey = await mox(["dane", "makerecord", "3", "1", "1", `${dir}/key.pem`]);
    assert.equal(ofKey.stdout, made.stdout);
    const whole = await mox(["dane", "makerecord", "3", "cert", "full", `${dir}/cert.pem`]);
    assert.match(whole.stdout, /^3 0 0 30[0-9a-f]+\n$/);
    assert.equal((await mox(["dane", "makerecord", "3", "0", "1", `${dir}/key.pem`])).code, 2);
    assert.equal((await mox(["dane", "makerecord", "7", "0", "1", `${dir}/cert.pem`])).code, 2);

    let hex = made.stdout.trim().split(" ")[3];
    using dns = await fakeServer((name, type) => {
      const base = { name, ttl: 60, class: "IN" } as const;
      if (type === "A" && name === "mail.example") {
        return { ad: true, answers: [{ ...base, type, data: "127.0.0.1" }] };
      }
      if (type === "TLSA" && name === `_${smtp.port}._tcp.mail.example`) {
        const data = {
          usage: 3,
          selector: 1,
          matchingType: 1,
          certificate: Buffer.from(hex, "hex"),
        };
        return { ad: true, answers: [{ ...base, type, data }] };
      }
      return { ad: true, answers: [], rcode: 0 };
    });
    const dial = [
      ...["dane", "dial", "-server", `${dns.server.address}:${dns.server.port}`],
      `mail.example:${smtp.port}`,
    ];
    const good = await mox(dial);
    assert.deepEqual([good.code, /verified by DANE/.test(good.stdout)], [0, true], good.stderr);
    hex = "00".repeat(32);
    const wrong = await mox(dial);
    assert.deepEqual([wrong.code, /not as the TLSA records say/.test(wrong.stdout)], [1, true]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("mtasts lookup and dane dialmx say what is missing", async () => {
  using dns = await zoneServer({
    "none.example": { A: ["127.0.0.1"] },
    "_mta-sts.broken.example": { TXT: ["v=spf1 -all"] },
  });
  const none = await mox(["mtasts", "lookup", ...dns.flag, "none.example"]);
  assert.deepEqual([none.code, /does not use MTA-STS/.test(none.stdout)], [1, true]);
  const broken = await mox(["mtasts", "lookup", ...dns.flag, "broken.example"]);
  assert.deepEqual([broken.code, /no record/.test(broken.stdout)], [1, true]);
  const mx = await mox(["dane", "dialmx", ...dns.flag, "none.example"]);
  assert.deepEqual([mx.code, /no TLSA records/.test(mx.stdout)], [1, true], mx.stdout);
});
