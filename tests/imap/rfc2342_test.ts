/** NAMESPACE (RFC 2342), as transcripts. */
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§5 the personal namespace, and none of others where nothing is shared", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: NAMESPACE
      S: * NAMESPACE (("" "/")) NIL NIL
      S: OK done
      C: NAMESPACE x
      S: BAD …expected end of command
      `,
    )
  ));

Deno.test("§5 where accounts can share, the mailboxes of others have a namespace of their own", async () => {
  const server = await startServer({ others: ["fred"] });
  try {
    const stranger = await server.client({ loggedIn: false });
    await talk(stranger, "C: NAMESPACE\nS: BAD NAMESPACE: log in first");
    await talk(
      await server.client(),
      `
      C: NAMESPACE
      S: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
      S: OK done
      C: CREATE "Other Users/nobody/x"
      S: NO [NOPERM] …
      C: LIST "Other Users/" "%"
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});
