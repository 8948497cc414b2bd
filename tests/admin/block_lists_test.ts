/** The block lists that quickstart puts into a new configuration. */
import assert from "node:assert/strict";
import { blockListChoice, chosenBlockLists } from "../../src/admin/block_lists.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";

Deno.test("lists are sorted by kind, those that don't work here are left out and named", async () => {
  const resolver = scriptedResolver({
    "2.0.0.127.bl.example": { A: ["127.0.0.2"] },
    "2.0.0.127.zen.spamhaus.org": { A: ["127.255.255.254"] },
    "test.dbl.spamhaus.org": { A: ["127.0.1.2"] },
  });
  const notes: string[] = [];
  const wanted = ["BL.example", " dbl.spamhaus.org", "zen.spamhaus.org", "bl.example", ""];
  assert.deepEqual(await chosenBlockLists(wanted, resolver, notes), {
    DNSBLs: ["bl.example"],
    LinkDNSBLs: ["dbl.spamhaus.org"],
  });
  assert.equal(notes.length, 1);
  assert.match(notes[0], /zen\.spamhaus\.org does not work .*127\.255\.255\.254/);
  // Without DNS they are taken as they are.
  assert.deepEqual(await chosenBlockLists(["bl.example"], undefined, notes), {
    DNSBLs: ["bl.example"],
    LinkDNSBLs: [],
  });
  assert.match(blockListChoice, /DNSBLs[^]*LinkDNSBLs/);
});
