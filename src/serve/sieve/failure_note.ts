/** Notifies users once a day that their script failed. @module */
import { composeText, foldField, joinMessage, textField } from "../../mail/compose.ts";
import { formatDate } from "../../mail/header/date.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Account } from "../../store/account/account.ts";
import type { ReceivingServices } from "../arrival/services.ts";

const key = "failure note";
const day = 86_400;

/** Puts a note into the inbox, unless there was one in the last day. */
export async function noteFailure(
  s: Pick<ReceivingServices, "sieve" | "config" | "tempDir" | "now">,
  account: Account,
  why: string,
  about: { from: string; subject: string },
): Promise<void> {
  const { memory } = s.sieve.db;
  if (memory.seen(account.name, key)) return;
  await memory.remember(account.name, [{ key, seconds: day }]);
  const host = s.config.static.Hostname;
  const body = composeText(
    `A Sieve script could not be run on a message for you. The message was kept, and nothing else was done with it.

${why}

The message: ${about.subject === "" ? "(no subject)" : about.subject}
From: ${about.from}

Look at your rules in the settings of the webmail, or at the script in your mail program. Should it happen again
within a day, no other note comes; each failure is listed with the rules.
`,
  );
  const bytes = joinMessage([
    foldField("From", `"Mail rules" <postmaster@${host}>`),
    foldField("To", "undisclosed-recipients:;"),
    textField("Subject", "A mail rule failed", { smtputf8: false }),
    foldField("Date", formatDate(new Date(s.now()))),
    foldField("Message-ID", `<${crypto.randomUUID()}@${host}>`),
    "Auto-Submitted: auto-generated\r\n",
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ], body.body);
  await withTempFile(
    s.tempDir,
    "sieve-",
    bytes,
    (path) =>
      account.deliver("Inbox", {
        file: path,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        noTrain: true,
      }),
  );
}
