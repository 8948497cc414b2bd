import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { Config, loadLocalserve, portUses } from "../../src/config/mod.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { isWindows } from "../../src/platform/os.ts";

const adminPasswordHash = () => "hash\n";

async function inDir(f: (dir: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    await f(join(parent, "new", "mox-localserve"));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("the first start makes a configuration that loads, later ones keep it", () =>
  inDir(async (dir) => {
    const first = await loadLocalserve({ dir, adminPasswordHash });
    assert.equal(first.created, true);
    const local = first.config.static.Listeners.get("local")!;
    assert.deepEqual([...portUses(local).keys()].sort(), [
      1025,
      1080,
      1081,
      1110,
      1143,
      1443,
      1465,
      1587,
      1993,
      1995,
      5190,
    ]);
    assert.ok(local.IPs.includes("127.0.0.1"));
    assert.equal(local.SMTP.FirstTimeSenderDelay, 0);
    assert.equal(await Deno.readTextFile(join(dir, "adminpasswd")), "hash\n");
    if (!isWindows) {
      assert.equal((await Deno.stat(join(dir, "localhost.key"))).mode! & 0o777, 0o600);
    }
    await Deno.writeTextFile(
      join(dir, "mox.conf"),
      (await Deno.readTextFile(join(dir, "mox.conf"))).replace("LogLevel: info", "LogLevel: debug"),
    );
    const hash = () => assert.fail("made again");
    const second = await loadLocalserve({ dir, ip: "127.0.0.2", adminPasswordHash: hash });
    assert.equal(second.created, false);
    assert.equal(second.config.static.LogLevel, "debug");
    assert.deepEqual(second.config.static.Listeners.get("local")!.IPs, ["127.0.0.2"]);
    assert.ok(await Config.load(join(dir, "mox.conf")));
  }));

Deno.test("mail for any address is for the account, logins are not", () =>
  inDir(async (dir) => {
    const { config } = await loadLocalserve({
      dir,
      adminPasswordHash,
      ip: "127.0.0.1",
      portOffset: 7,
    });
    assert.equal(config.static.Listeners.get("local")!.SMTP.Port, 1032);
    for (
      const [localpart, domain] of [["mox", "localhost"], ["x", "localhost"], ["a", "b.example"]]
    ) {
      const found = config.lookupAddress(localpart, domain);
      assert.equal(found.kind === "account" && found.account, "mox", domain);
    }
    assert.equal(config.accountFor("mox@localhost"), "mox");
    assert.equal(config.accountFor("a@b.example"), undefined);
  }));

Deno.test("a start that broke off is made good by the next", () =>
  inDir(async (dir) => {
    const failing = () => {
      throw new Error("no hash");
    };
    await assert.rejects(loadLocalserve({ dir, adminPasswordHash: failing }), /no hash/);
    const { created } = await loadLocalserve({ dir, adminPasswordHash });
    assert.equal(created, true);
  }));

Deno.test("a self-signed certificate works for its names and addresses", async () => {
  const { cert, key } = await selfSignedCertificate({
    names: ["localhost", "127.0.0.1", "2001:db8::1"],
    days: 30,
    authority: true,
  });
  const x = new X509Certificate(cert);
  assert.equal(x.subject, "CN=localhost");
  assert.equal(x.checkHost("localhost"), "localhost");
  assert.match(x.subjectAltName!, /IP Address:2001:(?:db8|DB8):/);
  assert.ok(x.verify(x.publicKey));
  const days = (Date.parse(x.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days < 30.1);

  const server = createServer({ cert, key }, (socket) => socket.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  const text = await new Promise<string>((resolve, reject) => {
    let all = "";
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: [cert] });
    socket.on("data", (d) => all += d);
    socket.on("end", () => resolve(all));
    socket.on("error", reject);
  });
  assert.equal(text, "hello");
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("the certificate names the address of -ip, also one that comes later", () =>
  inDir(async (dir) => {
    const certificate = async () =>
      new X509Certificate(await Deno.readTextFile(join(dir, "localhost.crt")));
    await loadLocalserve({ dir, adminPasswordHash, ip: "192.0.2.7" });
    const first = await certificate();
    assert.ok(first.checkIP("192.0.2.7") && first.checkIP("127.0.0.1"));
    await loadLocalserve({ dir, adminPasswordHash, ip: "192.0.2.7" });
    assert.equal((await certificate()).serialNumber, first.serialNumber);
    await loadLocalserve({ dir, adminPasswordHash, ip: "2001:db8::7" });
    assert.ok((await certificate()).checkIP("2001:db8::7"));
    // Addresses that stand for all of them are no names.
    await loadLocalserve({ dir, adminPasswordHash, ip: "0.0.0.0" });
    assert.ok((await certificate()).checkIP("2001:db8::7"));
  }));

Deno.test("localserve's certificate is good for no longer than systems believe, and is renewed before its end", () =>
  inDir(async (dir) => {
    const [cert, key] = ["localhost.crt", "localhost.key"].map((name) => join(dir, name));
    const certificate = async () => new X509Certificate(await Deno.readTextFile(cert));
    const start = () => loadLocalserve({ dir, adminPasswordHash });
    const daysLeft = async () =>
      ((await certificate()).validToDate.getTime() - Date.now()) / 86_400_000;
    await start();
    const days = await daysLeft();
    assert.ok(days > 800 && days < 825, `${days} days`);
    const put = async (names: string[], days: number) => {
      const pair = await selfSignedCertificate({ names, days });
      await Deno.writeTextFile(cert, pair.cert);
      await Deno.writeTextFile(key, pair.key);
      return (await certificate()).serialNumber;
    };
    for (const old of [-1, 29]) {
      const before = await put(["localhost"], old);
      await start();
      assert.notEqual((await certificate()).serialNumber, before);
      assert.ok(await daysLeft() > 800);
      const made = await Deno.readTextFile(key);
      assert.ok((await certificate()).checkPrivateKey(createPrivateKey(made)), "with its key");
    }
    // One that is good, and one of the developer's own.
    for (const [names, left] of [[["localhost"], 40], [["dev.example"], -1]] as const) {
      const before = await put([...names], left);
      await start();
      assert.equal((await certificate()).serialNumber, before);
    }
    // Loading says what is wrong with the files.
    await Deno.writeTextFile(cert, "no certificate\n");
    await assert.rejects(start(), /localhost\.crt/);
  }));
