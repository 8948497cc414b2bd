/** MULTIAPPEND (RFC 3502), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§6.3.11 messages with their own flags and dates, synchronising literals", () =>
  withClient(async (c) => {
    const [a, b] = [message("afternoon meeting"), message("Re: afternoon meeting")];
    c.send(`a APPEND Archive (\\Seen) " 7-Feb-1994 22:43:04 -0800" {${a.length}}\r\n`);
    assert.match(await c.line(), /^\+ /);
    c.send(`${a} (\\Seen $Old) "08-Feb-1994 08:00:00 +0000" {${b.length}}\r\n`);
    assert.match(await c.line(), /^\+ /);
    c.send(`${b}\r\n`);
    const [answer] = await c.answer("a");
    assert.match(answer, /^OK \[APPENDUID \d+ 1:2\] appended$/);
    await c.ok("SELECT Archive");
    await talk(
      c,
      `
      C: FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)
      S: * 1 FETCH (FLAGS (\\Seen) INTERNALDATE "08-Feb-1994 06:43:04 +0000" RFC822.SIZE ${a.length})
      S: * 2 FETCH (FLAGS (\\Seen $Old) INTERNALDATE "08-Feb-1994 08:00:00 +0000" RFC822.SIZE ${b.length})
      S: OK done
      `,
    );
  }));

Deno.test("§6.3.11 all or none: what is refused after messages were sent leaves none of them", async () => {
  const server = await startServer({ maxMessageSize: 2000, quota: 3000 });
  try {
    const c = await server.client();
    const one = message("one");
    const lit = (text: string) => `{${text.length}+}\r\n${text}`;
    const big = message("big", "x".repeat(1990));
    const half = message("half", "x".repeat(1700));
    for (
      const [args, want] of [
        [`INBOX ${lit(one)} ${lit(big)}`, /^NO \[TOOBIG\] message is larger than 2000 bytes$/],
        [`INBOX ${lit(half)} ${lit(half)}`, /^NO \[OVERQUOTA\] /],
        [`INBOX ${lit(one)} (bad`, /^BAD at offset \d+: expected space$/],
        [`INBOX ${lit(one)} (\\Recent) ${lit(one)}`, /^BAD .*expected known system flag$/],
        [`INBOX ${lit(one)} {0+}\r\n`, /^NO \[CANNOT\] message is empty$/],
        [`nosuch ${lit(one)} ${lit(one)}`, /^NO \[TRYCREATE\] no such mailbox$/],
      ] as const
    ) {
      assert.match(await c.done(`APPEND ${args}`), want, args.slice(0, 60));
      assert.deepEqual(await c.ok("STATUS INBOX (MESSAGES UIDNEXT)"), [
        "* STATUS INBOX (MESSAGES 0 UIDNEXT 1)",
      ]);
    }
    const left = [...Deno.readDirSync(server.dir)].filter((e) => e.name.startsWith("imap-"));
    assert.deepEqual(left, []);
  } finally {
    await server.stop();
  }
});
