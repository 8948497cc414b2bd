/** LIST-STATUS (RFC 5819), as transcripts. */
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§2 each LIST answer has its STATUS, but for what can't be selected or read", async () => {
  const server = await startServer({ others: ["fred"] });
  try {
    const c = await server.client();
    await c.ok("CREATE foo/bar");
    await c.append("INBOX", message("one"));
    await c.append("foo/bar", message("two"), "(\\Seen) ");
    await c.ok("SUBSCRIBE foo/gone");
    await talk(
      c,
      `
      C: LIST "" ("INBOX" "foo*") RETURN (STATUS (MESSAGES UNSEEN))
      S: * LIST (\\HasNoChildren) "/" INBOX
      S: * STATUS INBOX (MESSAGES 1 UNSEEN 1)
      S: * LIST (\\HasChildren) "/" foo
      S: * STATUS foo (MESSAGES 0 UNSEEN 0)
      S: * LIST (\\HasNoChildren) "/" foo/bar
      S: * STATUS foo/bar (MESSAGES 1 UNSEEN 0)
      S: OK done
      C: LIST (SUBSCRIBED) "" "foo/*" RETURN (STATUS (MESSAGES))
      S: * LIST (\\Subscribed \\HasNoChildren) "/" foo/bar
      S: * STATUS foo/bar (MESSAGES 1)
      S: * LIST (\\NonExistent \\Subscribed) "/" foo/gone
      S: OK done
      C: LIST "" "foo" RETURN (STATUS (MESSAGES RECENT UIDNEXT UIDVALIDITY DELETED SIZE HIGHESTMODSEQ MAILBOXID APPENDLIMIT DELETED-STORAGE) SUBSCRIBED)
      S: * LIST (\\Subscribed \\HasChildren) "/" foo
      S: * STATUS foo (MESSAGES 0 RECENT 0 UIDNEXT 1 UIDVALIDITY … DELETED 0 SIZE 0 HIGHESTMODSEQ … MAILBOXID (M…) APPENDLIMIT 20971520 DELETED-STORAGE 0)
      S: OK done
      C: LIST "" "*" RETURN (STATUS ())
      S: BAD …expected status item
      C: LIST "" "*" RETURN (STATUS)
      S: BAD …
      C: LIST "" "nosuch" RETURN (STATUS (MESSAGES))
      S: OK done
      `,
    );
    const fred = await server.client({ as: "fred" });
    await c.ok("SETACL foo fred l");
    await talk(
      fred,
      `
      C: LIST "" "Other Users/*" RETURN (STATUS (MESSAGES))
      S: * LIST (\\HasNoChildren) "/" "Other Users/mjl/foo"
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});
