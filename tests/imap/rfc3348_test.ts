/** CHILDREN (RFC 3348), as transcripts. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 each mailbox says whether there are others below it, as they come and go", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: CREATE Foo/Bar
      S: * LIST (\\Subscribed) "/" Foo
      S: OK [MAILBOXID (…)] created
      C: LIST "" "Foo*"
      S: * LIST (\\HasChildren) "/" Foo
      S: * LIST (\\HasNoChildren) "/" Foo/Bar
      S: OK done
      C: LIST "" "Foo/%" RETURN (CHILDREN)
      S: * LIST (\\HasNoChildren) "/" Foo/Bar
      S: OK done
      C: CREATE Foobar
      S: OK [MAILBOXID (…)] created
      C: DELETE Foo/Bar
      S: OK done
      C: LIST "" "Foo*"
      S: * LIST (\\HasNoChildren) "/" Foo
      S: * LIST (\\HasNoChildren) "/" Foobar
      S: OK done
      C: RENAME Foobar Foo/Baz
      S: OK done
      C: LIST "" "Foo%"
      S: * LIST (\\HasChildren) "/" Foo
      S: OK done
      C: CREATE INBOX/sub
      S: OK [MAILBOXID (…)] created
      C: LIST "" INBOX
      S: * LIST (\\HasChildren) "/" INBOX
      S: OK done
      `,
    )
  ));
