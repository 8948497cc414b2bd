/** Maildirs whose messages Dovecot has compressed. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pathSource } from "../../../src/store/import/path.ts";

Deno.test("messages packed with gzip or zstd come as they were; others are told, and what is damaged", async () => {
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
      "is compressed with lz4: import",
      "is compressed with zstd, and d",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
