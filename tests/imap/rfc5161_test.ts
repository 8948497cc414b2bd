/** ENABLE (RFC 5161), as transcripts. */
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 what is known is switched on once, and the rest is passed over", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: ENABLE CONDSTORE X-GOOD-IDEA
      S: * ENABLED CONDSTORE
      S: OK done
      C: ENABLE condstore qresync
      S: * ENABLED QRESYNC
      S: OK done
      C: ENABLE X-UNKNOWN IDLE
      S: * ENABLED
      S: OK done
      C: ENABLE UTF8=ACCEPT IMAP4rev2 UIDONLY METADATA
      S: * ENABLED UTF8=ACCEPT IMAP4rev2 UIDONLY METADATA
      S: OK done
      C: ENABLE
      S: BAD …expected space
      C: ENABLE (CONDSTORE)
      S: BAD …expected capability
      `,
    )
  ));

Deno.test("RFC 7162 §3.1.2: CONDSTORE switched on with a mailbox selected tells its HIGHESTMODSEQ", () =>
  withClient(async (c) => {
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: ENABLE QRESYNC
      S: * OK [HIGHESTMODSEQ …] now
      S: * ENABLED QRESYNC CONDSTORE
      S: OK done
      C: ENABLE CONDSTORE
      S: * ENABLED
      S: OK done
      `,
    );
  }));

Deno.test("it needs a login", async () => {
  const server = await startServer();
  try {
    const c = await server.client({ loggedIn: false });
    await talk(c, "C: ENABLE CONDSTORE\nS: BAD ENABLE: log in first");
  } finally {
    await server.stop();
  }
});
