/** LIST-METADATA (RFC 9590), as transcripts. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 LIST with RETURN METADATA, alone and with STATUS", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: SETMETADATA Archive (/shared/comment "old mail" /private/color "#f00")
      S: OK …
      C: LIST "" "A*" RETURN (METADATA ("/shared/comment" "/private/color"))
      S: * LIST (\\HasNoChildren \\Archive) "/" Archive
      S: * METADATA Archive (/shared/comment "old mail" /private/color "#f00")
      S: OK …
      C: LIST "" (Archive Sent) RETURN (METADATA (/private/color) STATUS (MESSAGES))
      S: * LIST (\\HasNoChildren \\Archive) "/" Archive
      S: * STATUS Archive (MESSAGES 0)
      S: * METADATA Archive (/private/color "#f00")
      S: * LIST (\\HasNoChildren \\Sent) "/" Sent
      S: * STATUS Sent (MESSAGES 0)
      S: * METADATA Sent (/private/color NIL)
      S: OK …
      C: LIST "" "*" RETURN (METADATA ())
      S: BAD …
      `,
    )
  ));
