/** Messages above a megabyte are read in slices, their rows kept meanwhile: all that is asked of a row works. */
import assert from "node:assert/strict";
import { FetchRow } from "../../src/store/messages/row.ts";
import { message } from "./server.ts";
import { withClient } from "./with_server.ts";

Deno.test("a large message is searched by summary and content together, and previewed", () =>
  withClient(async (c) => {
    const body = `needle\r\n${"hay hay hay hay hay hay\r\n".repeat(60_000)}end of it\r\n`;
    await c.append("INBOX", message("large one", body));
    await c.append("INBOX", message("small one", "needle\r\n"));
    await c.ok("SELECT INBOX");
    const found = async (what: string) => {
      const lines = await c.ok(`UID SEARCH ${what}`);
      return lines.find((l) => l.startsWith("* SEARCH"));
    };
    assert.equal(await found("OR SUBJECT large BODY nowhere"), "* SEARCH 1");
    assert.equal(await found('OR SUBJECT nothing BODY "end of it"'), "* SEARCH 1");
    assert.equal(await found("SUBJECT one BODY needle"), "* SEARCH 1 2");
    assert.equal(await found("FROM nobody BODY needle"), "* SEARCH");
    assert.equal(await found("SENTSINCE 1-Jan-1980 BODY hay"), "* SEARCH 1");
    const lines = await c.ok("FETCH 1 (PREVIEW BODY.PEEK[])");
    assert.match(lines.join("\n"), /PREVIEW "needle hay/);
  }));

Deno.test("a row is copied by kept(): a copy by spreading is none, to the compiler", () => {
  const row = new FetchRow();
  row.uid = 7;
  row.prefix = Uint8Array.of(1);
  row.summaryText = '{"subject":"one"}';
  const kept = row.kept();
  // @ts-expect-error the summary is lost by spreading
  const spread: FetchRow = { ...row };
  row.uid = 8;
  row.prefix[0] = 2;
  row.summaryText = '{"subject":"two"}';
  assert.equal(kept.uid, 7);
  assert.equal(kept.prefix[0], 1);
  assert.equal(kept.summary.subject, "one");
  assert.equal(row.summary.subject, "two");
  assert.equal(spread.summary, undefined);
});
