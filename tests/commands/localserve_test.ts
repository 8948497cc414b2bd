/** What localserve says at its start: somebody new goes by it. */
import assert from "node:assert/strict";
import { startMox } from "../support/localserve.ts";
import { returnOffset, takeOffset } from "../support/ports.ts";

Deno.test("localserve says where its ports and pages are, in lines that fit", async () => {
  const offset = takeOffset();
  const running = await startMox(["localserve", "-memory", "-ports", `${offset}`], "is running");
  try {
    const said = await running.said("Ctrl-C stops the server.\n");
    for (const line of said.split("\n")) assert.ok(line.length <= 100, line);
    const places: [string, number][] = [["SMTP", 1025], ["IMAP", 1143], ["ManageSieve", 5190]];
    for (const [name, port] of places) {
      assert.match(said, new RegExp(`^ {2}${name} +127\\.0\\.0\\.1:${port + offset}\\b`, "m"));
    }
    assert.match(said, new RegExp(`https://127\\.0\\.0\\.1:${1443 + offset}\\b`));
    const pages = [...said.matchAll(/^ {2}(\w[\w ]*?) {2,}(http:\/\/\S+)$/gm)];
    assert.deepEqual(pages.map(([, name]) => name), [
      ...["account", "webmail", "admin", "caught mail", "test API", "webapi", "lists", "jmap"],
      "calendars and contacts",
    ]);
    for (const [, name, url] of pages.filter(([, n]) => /account|webmail|admin|caught/.test(n))) {
      const response = await fetch(url);
      assert.equal(response.status, 200, name);
      assert.match(await response.text(), /<html/);
    }
  } finally {
    assert.equal(await running.signal("SIGTERM"), 0);
    returnOffset(offset);
  }
});
