/** The pages that the program has in it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { webmailPage } from "../../../src/web/pages/mod.ts";

Deno.test("the built pages are what their sources give", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(import.meta.resolve("../../../scripts/build-pages.ts"))]
      .concat(["--check"]),
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("the webmail's page is under 100 kB compressed, and loads nothing else", () => {
  const size = brotliCompressSync(new TextEncoder().encode(webmailPage)).length;
  assert.ok(size < 100_000, `${size} bytes`);
  assert.equal(webmailPage.match(/<script/g)!.length, 1);
  assert.doesNotMatch(webmailPage, /<script[^>]* src=|<link[^>]* href="(?!data:)|@import/);
});
