/** Maildirs whose messages Dovecot has compressed. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { unpackBzip2 } from "../../../src/store/import/bzip2.ts";
import { unpacked } from "../../../src/store/import/compressed.ts";
import { unpackDovecotLz4 } from "../../../src/store/import/lz4.ts";
import { pathSource } from "../../../src/store/import/path.ts";
import { packed, packedText as text } from "../../support/packed.ts";
import { doveadm, giveToNobody, noDovecot } from "../../support/dovecot.ts";

Deno.test("messages packed with gzip or zstd come as they were, and what is damaged is told", async () => {
  const dir = await Deno.makeTempDir({ prefix: "mox-packed-" });
  try {
    await Deno.mkdir(`${dir}/cur`, { recursive: true });
    await Deno.mkdir(`${dir}/new`);
    await Deno.mkdir(`${dir}/tmp`);
    const text = "Subject: packed\r\nMessage-ID: <p@x.example>\r\n\r\nbody\r\n";
    const packed = gzipSync(text);
    await Deno.writeFile(`${dir}/cur/1700000000.1.host,S=55,W=57:2,SZ`, packed);
    await Deno.writeFile(`${dir}/cur/1700000001.2.host:2,`, packed.subarray(0, packed.length - 9));
    const zstd = zstdCompressSync(text);
    await Deno.writeFile(`${dir}/cur/1700000004.5.host:2,`, zstd);
    // Two frames, as programs write that begin anew.
    const two = Buffer.concat([
      zstdCompressSync(text.slice(0, 20)),
      zstdCompressSync(text.slice(20)),
    ]);
    await Deno.writeFile(`${dir}/cur/1700000006.7.host:2,`, two);
    await Deno.writeFile(`${dir}/cur/1700000005.6.host:2,`, zstd.subarray(0, zstd.length - 9));
    await Deno.writeTextFile(`${dir}/cur/1700000002.3.host:2,`, "Dovecot-LZ4\r\x2a...");
    await Deno.writeTextFile(`${dir}/cur/1700000003.4.host:2,`, text);
    const { source } = await pathSource(dir, "");
    const contents: string[] = [];
    const problems: string[] = [];
    for await (const m of source) {
      if ("problem" in m) problems.push(m.problem);
      else if ("content" in m) contents.push(new TextDecoder().decode(m.content));
    }
    assert.deepEqual(contents, [text, text, text, text]);
    assert.deepEqual(problems.sort().map((p) => p.slice(0, 30)), [
      "is compressed with gzip, and d",
      "is compressed with lz4, and da",
      "is compressed with zstd, and d",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const decoded = (bytes: Uint8Array | string) =>
  typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);

Deno.test("xz and bzip2: several streams, and each byte that is missing or wrong is noticed", async () => {
  for (const name of ["xz", "bzip2"] as const) {
    const bytes = packed[name];
    assert.equal(decoded(await unpacked(bytes)), text, name);
    assert.equal(decoded(await unpacked(Buffer.concat([bytes, bytes]))), text + text, name);
    const damaged = `is compressed with ${name}, and damaged`;
    for (let cut = 8; cut < bytes.length; cut += 7) {
      assert.equal(await unpacked(bytes.subarray(0, cut)), damaged, `${name} cut at ${cut}`);
    }
    for (let at = 12; at < bytes.length - 12; at += 5) {
      const wrong = Uint8Array.from(bytes);
      wrong[at] ^= 0x10;
      assert.equal(await unpacked(wrong), damaged, `${name} wrong at ${at}`);
    }
  }
  // A field whose name begins as bzip2 does.
  assert.equal(
    decoded(await unpacked(new TextEncoder().encode("BZh: x\r\n\r\n"))),
    "BZh: x\r\n\r\n",
  );
});

Deno.test("what unpacks to more than a message may have is refused while it is unpacked", async () => {
  await assert.rejects(unpackBzip2(packed.bzip2, 100), { reason: "large" });
  assert.equal(decoded(await unpackDovecotLz4(packed.lz4, 10_000)), "x".repeat(5_001));
  await assert.rejects(unpackDovecotLz4(packed.lz4, 5_000), { reason: "large" });
});

Deno.test({
  name: "Dovecot's zlib plugin: what it writes as gz, bz2, lz4 and zstd comes as it was",
  ignore: noDovecot,
  async fn() {
    const home = await Deno.makeTempDir({ prefix: "mox-dovecot-zlib-" });
    try {
      await Deno.chmod(home, 0o755);
      await giveToNobody(home);
      // Words in no order, so that blocks have literals as well as copies.
      let seed = 1;
      const word = () => `w${(seed = seed * 48271 % 0x7fffffff) % 5000}`;
      const long = text +
        `${Array.from({ length: 40_000 }, word).join(" ").replaceAll(/(.{70}) /g, "$1\r\n")}\r\n`;
      const sent: string[] = [];
      for (const kind of ["gz", "bz2", "lz4", "zstd"]) {
        for (const message of [text, long]) {
          const run = doveadm(home, `maildir:${home}/Maildir`, message);
          await run("-o", "mail_plugins=zlib", "-o", `plugin/zlib_save=${kind}`, "save");
          sent.push(message);
        }
      }
      const { source } = await pathSource(`${home}/Maildir`, "");
      const got: string[] = [];
      for await (const m of source) {
        assert.ok(!("problem" in m), JSON.stringify(m).slice(0, 200));
        if ("content" in m) got.push(decoded(m.content));
      }
      assert.deepEqual(got.map((m) => m.length).sort(), sent.map((m) => m.length).sort());
      assert.deepEqual(new Set(got), new Set(sent));
      // They were packed: all files together are smaller than one long message is.
      const files = [...Deno.readDirSync(`${home}/Maildir/new`)].map((e) =>
        Deno.statSync(`${home}/Maildir/new/${e.name}`).size
      );
      assert.ok(files.length === 8 && Math.max(...files) < long.length * 0.75, files.join());
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});
