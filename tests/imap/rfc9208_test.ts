/** QUOTA (RFC 9208), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4.1 use and limit of an account, in units of 1024 bytes; §4.1.4 what EXPUNGE would free", async () => {
  const server = await startServer({ quota: 10 * 1024, others: ["fred"] });
  try {
    const c = await server.client();
    const [capability] = await c.ok("CAPABILITY");
    assert.match(capability, / QUOTA QUOTA=RES-STORAGE(?= |$)/);
    assert.doesNotMatch(capability, /QUOTASET/);
    const text = message("one", `${"x".repeat(70)}\r\n`.repeat(40));
    await c.append("INBOX", text);
    await c.append("INBOX", text, "(\\Deleted) ");
    const used = Math.ceil(2 * text.length / 1024);
    await talk(
      c,
      `
      C: GETQUOTAROOT INBOX
      S: * QUOTAROOT INBOX ""
      S: * QUOTA "" (STORAGE ${used} 10)
      S: OK done
      C: GETQUOTA ""
      S: * QUOTA "" (STORAGE ${used} 10)
      S: OK done
      C: STATUS INBOX (DELETED DELETED-STORAGE)
      S: * STATUS INBOX (DELETED 1 DELETED-STORAGE ${text.length})
      S: OK done
      C: GETQUOTA "no such"
      S: NO [NONEXISTENT] no such quota root
      C: GETQUOTAROOT nosuch
      S: NO [NONEXISTENT] no such mailbox
      C: SETQUOTA "" (STORAGE 512)
      S: BAD …expected known command
      C: GETQUOTA
      S: BAD …
      `,
    );
    // §4.3: over the limit nothing is stored, copied or moved in.
    const big = message("big", `${"x".repeat(70)}\r\n`.repeat(80));
    assert.match(await c.append("INBOX", big), /^NO \[OVERQUOTA\] /);
    const fred = await server.client({ as: "fred" });
    await c.ok("SETACL INBOX fred lri");
    await fred.append("INBOX", big);
    await fred.ok("SELECT INBOX");
    await talk(
      fred,
      `
      C: COPY 1 "Other Users/mjl/INBOX"
      S: NO [OVERQUOTA] …
      C: GETQUOTAROOT "Other Users/mjl/INBOX"
      S: * QUOTAROOT "Other Users/mjl/Inbox" "Other Users/mjl"
      S: * QUOTA "Other Users/mjl" (STORAGE ${used} 10)
      S: OK done
      C: GETQUOTA "Other Users/nobody"
      S: NO [NONEXISTENT] no such quota root
      `,
    );
    // Copies within the account are of the same email, and cost nothing.
    await c.ok("SELECT INBOX");
    for (let i = 0; i < 4; i++) await c.ok("COPY 1:2 Archive");
    assert.deepEqual(await c.ok('GETQUOTA ""'), [`* QUOTA "" (STORAGE ${used} 10)`]);
  } finally {
    await server.stop();
  }
});

Deno.test("§4.1 without a limit there is no resource to tell of", () =>
  withClient((c) =>
    talk(c, 'C: GETQUOTAROOT INBOX\nS: * QUOTAROOT INBOX ""\nS: * QUOTA "" ()\nS: OK done')
  ));
