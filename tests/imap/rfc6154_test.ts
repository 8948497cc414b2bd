/** SPECIAL-USE and CREATE-SPECIAL-USE (RFC 6154), as transcripts. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§5.1 LIST with special uses, §5.3 CREATE with one", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: LIST (SPECIAL-USE) "" "*"
      S: * LIST (\\HasNoChildren \\Archive) "/" Archive
      S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
      S: * LIST (\\HasNoChildren \\Junk) "/" Junk
      S: * LIST (\\HasNoChildren \\Sent) "/" Sent
      S: * LIST (\\HasNoChildren \\Trash) "/" Trash
      S: OK …
      C: LIST "" "S%" RETURN (SPECIAL-USE)
      S: * LIST (\\HasNoChildren \\Sent) "/" Sent
      S: OK …
      C: CREATE MySpecial (USE (\\Drafts))
      S: NO [USEATTR] …
      C: DELETE Sent
      S: OK …
      C: CREATE Outgoing (USE (\\Sent))
      S: OK [MAILBOXID (…)] created
      C: LIST (SPECIAL-USE) "" "O*"
      S: * LIST (\\HasNoChildren \\Sent) "/" Outgoing
      S: OK …
      C: CREATE Everything (USE (\\All))
      S: NO [USEATTR] special use \\All can't be given to a mailbox
      C: LIST "" Everything
      S: OK …
      C: CREATE X (USE (Sent))
      S: BAD …
      `,
    )
  ));
