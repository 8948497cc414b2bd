/** The budget of open files. */
import assert from "node:assert/strict";
import { lowOpenFilesText, openFilesBudget } from "../../src/platform/open_files.ts";

Deno.test("connections and accounts together leave files for everything else, and a low limit is told", () => {
  for (const limit of [400, 1024, 4096, 65_535]) {
    const b = openFilesBudget(limit);
    assert.ok(b.connections + 12 * b.accounts + 64 < limit, `${limit}`);
  }
  assert.match(
    lowOpenFilesText(openFilesBudget(1024))!,
    /only 1024 files open: at most 384 connections and 40 mailbox accounts/,
  );
  assert.equal(lowOpenFilesText(openFilesBudget(65_535)), undefined);
});
