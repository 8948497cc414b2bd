/** UNAUTHENTICATE (RFC 8437), as a transcript. */
import { login, password } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 UNAUTHENTICATE goes back to before login; nothing that was enabled or selected stays", () =>
  withClient(async (c) => {
    await c.ok("ENABLE IMAP4rev2 QRESYNC");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: UNAUTHENTICATE
      S: OK [CAPABILITY IMAP4rev2 IMAP4rev1 AUTH=…] log in again
      C: NOOP
      S: OK done
      C: FETCH 1 FLAGS
      S: BAD FETCH: log in first
      C: UNAUTHENTICATE
      S: BAD UNAUTHENTICATE: log in first
      C: LOGIN ${login} "${password}"
      S: OK [CAPABILITY …] logged in
      C: FETCH 1 FLAGS
      S: BAD FETCH: select a mailbox first
      C: SEARCH ALL
      S: BAD SEARCH: select a mailbox first
      C: STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 0)
      S: OK done
      `,
    );
  }));
