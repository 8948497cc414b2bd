/** MULTISEARCH (RFC 7377), as transcripts. */
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§2 several mailboxes at once, each with its own answer, and none where nothing was found", async () => {
  const server = await startServer({ others: ["fred"] });
  try {
    const c = await server.client();
    for (const n of ["folder1", "folder2/salmon", "folder2/trout/small"]) await c.ok(`CREATE ${n}`);
    await c.append("folder1", message("one chuzzlewit"));
    await c.append("folder1", message("two"));
    await c.append("folder2/salmon", message("three chuzzlewit"));
    await c.append("folder2/trout/small", message("four chuzzlewit"));
    await c.append("INBOX", message("five chuzzlewit"));
    const hit = (name: string, what: string) =>
      `S: * ESEARCH (TAG "…" MAILBOX ${name} UIDVALIDITY …) UID ${what}`;
    await talk(
      c,
      `
      C: ESEARCH IN (mailboxes "folder1" subtree "folder2") SUBJECT "chuzzlewit"
      ${hit("folder1", "ALL 1")}
      ${hit("folder2/salmon", "ALL 1")}
      ${hit("folder2/trout/small", "ALL 1")}
      S: OK done
      C: ESEARCH IN (mailboxes (folder1 inbox) subtree-one folder2) RETURN (MIN MAX COUNT) SUBJECT chuzzlewit
      ${hit("INBOX", "MIN 1 MAX 1 COUNT 1")}
      ${hit("folder1", "MIN 1 MAX 1 COUNT 1")}
      ${hit("folder2/salmon", "MIN 1 MAX 1 COUNT 1")}
      S: OK done
      C: ESEARCH IN (inboxes) UID 1:*
      ${hit("INBOX", "ALL 1")}
      S: OK done
      C: ESEARCH IN (mailboxes nosuch) ALL
      S: OK done
      C: ESEARCH IN (personal) SUBJECT nothing
      S: OK done
      C: ESEARCH IN (selected) ALL
      S: BAD no mailbox selected
      C: ESEARCH SUBJECT two
      S: BAD no mailbox selected
      C: ESEARCH IN (mailboxes folder1) 1:*
      S: BAD sequence numbers can't be used here
      C: ESEARCH IN (mailboxes folder1) $
      S: BAD a saved result can't be used here
      C: ESEARCH IN (mailboxes folder1) RETURN (SAVE) ALL
      S: BAD SAVE needs the selected mailbox
      C: ESEARCH IN (mailboxes folder1) CHARSET KLINGON ALL
      S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
      C: ESEARCH IN (everything) ALL
      S: BAD …expected mailboxes to search
      C: ESEARCH IN () ALL
      S: BAD …
      C: UNSUBSCRIBE folder1
      S: OK done
      C: ESEARCH IN (subscribed) SUBJECT one
      S: OK done
      `,
    );
    await c.ok("SELECT folder1");
    await talk(
      c,
      `
      C: ESEARCH SUBJECT two
      ${hit("folder1", "ALL 2")}
      S: OK done
      C: ESEARCH IN (selected) RETURN (SAVE ALL) SUBJECT two
      ${hit("folder1", "ALL 2")}
      S: OK done
      C: FETCH $ UID
      S: * 2 FETCH (UID 2)
      S: OK done
      `,
    );
    // §2.2 and RFC 4314: of mailboxes that may not be read nothing is said.
    const fred = await server.client({ as: "fred" });
    await c.ok("SETACL folder1 fred lr");
    await c.ok("SETACL folder2 fred l");
    await c.ok("SETACL folder2/salmon fred r");
    await talk(
      fred,
      `
      C: ESEARCH IN (subtree "Other Users") SUBJECT chuzzlewit
      ${hit('"Other Users/mjl/folder1"', "ALL 1")}
      S: OK done
      C: ESEARCH IN (mailboxes ("Other Users/mjl/folder2" "Other Users/mjl/INBOX")) ALL
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});
