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

Deno.test("§4 the special uses of a mailbox are its entry /private/specialuse, which sets them too", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: GETMETADATA Sent (/private/specialuse)
      S: * METADATA Sent (/private/specialuse "\\\\Sent")
      S: OK done
      C: GETMETADATA INBOX /private/specialuse
      S: * METADATA INBOX (/private/specialuse NIL)
      S: OK done
      C: CREATE Entwurf
      S: OK …
      C: SETMETADATA Entwurf (/private/specialuse "\\\\Drafts" /private/comment "x")
      S: NO [USEATTR] …
      C: GETMETADATA (DEPTH infinity) Entwurf /private
      S: OK done
      C: SETMETADATA Drafts (/private/specialuse NIL)
      S: OK done
      C: SETMETADATA Entwurf (/private/specialUse "\\\\drafts" /private/comment "x")
      S: OK done
      C: LIST (SPECIAL-USE) "" "*" RETURN (METADATA (/private/specialuse))
      S: * LIST (\\HasNoChildren \\Archive) "/" Archive
      S: * METADATA Archive (/private/specialuse "\\\\Archive")
      S: * LIST (\\HasNoChildren \\Drafts) "/" Entwurf
      S: * METADATA Entwurf (/private/specialuse "\\\\Drafts")
      S: * LIST (\\HasNoChildren \\Junk) "/" Junk
      S: * METADATA Junk (/private/specialuse "\\\\Junk")
      S: * LIST (\\HasNoChildren \\Sent) "/" Sent
      S: * METADATA Sent (/private/specialuse "\\\\Sent")
      S: * LIST (\\HasNoChildren \\Trash) "/" Trash
      S: * METADATA Trash (/private/specialuse "\\\\Trash")
      S: OK done
      C: GETMETADATA (DEPTH infinity) Entwurf /private
      S: * METADATA Entwurf (/private/comment "x" /private/specialuse "\\\\Drafts")
      S: OK done
      C: SETMETADATA Drafts (/private/specialuse "\\\\All")
      S: NO [USEATTR] …
      C: SETMETADATA Drafts (/private/specialuse "Drafts")
      S: NO [USEATTR] …
      C: SETMETADATA Drafts (/private/specialuse "")
      S: NO [USEATTR] …
      C: SETMETADATA INBOX (/private/specialuse "\\\\Sent")
      S: NO [USEATTR] …
      C: SETMETADATA "" (/private/specialuse "anything")
      S: OK done
      C: GETMETADATA "" /private/specialuse
      S: * METADATA "" (/private/specialuse "anything")
      S: OK done
      `,
    )
  ));
