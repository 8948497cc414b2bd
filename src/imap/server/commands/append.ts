/**
 * APPEND (RFC 9051 §6.3.12) of one or more messages (RFC 3502).
 *
 * @module
 */
import { appendAll } from "../../../store/messages/unfinished.ts";
import type { NewMessage } from "../../../store/types.ts";
import { formatNumSet } from "../../parse/numset.ts";
import { type Answer, ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { receiveMessage, storing, withFiles } from "../messages/incoming_message.ts";
import { permittedFlags } from "../../../store/messages/flag_rights.ts";
import { place } from "../mailboxes/places.ts";
import { refusing, StreamedInput } from "../messages/streamed_input.ts";

/** Messages in one APPEND. */
const maxMessages = 1000;

export const append: Command = {
  name: "APPEND",
  states: loggedIn,
  capabilities: ["MULTIAPPEND", "APPENDLIMIT", "CATENATE"],
  parse: (c) => c.fail("message"),
  stream(cursor, session) {
    const input = new StreamedInput(session, cursor);
    return withFiles(session, async (next): Promise<Answer> => {
      const { account, mailbox, list } = await refusing(input, async () => {
        input.c.sp();
        const name = await input.mailbox();
        const list: NewMessage[] = [];
        // RFC 3502 §6.3.11: a missing mailbox is reported before the message is sent.
        const found = await place(session, name, "i", "TRYCREATE");
        do {
          input.c.sp();
          if (list.length >= maxMessages) throw new ImapNo("too many messages", "LIMIT");
          list.push(permittedFlags(found.rights, await receiveMessage(input, next())));
        } while (!input.c.atEnd);
        return { ...found, list };
      });
      const appended = await storing(session, appendAll(account, mailbox.id, list));
      await session.backend.scripts?.note({
        account,
        login: session.login ?? "",
        cause: "APPEND",
        mailboxId: mailbox.id,
        uids: appended,
        changedFlags: [],
      });
      const uids = formatNumSet(appended);
      return { code: `APPENDUID ${mailbox.uidValidity} ${uids}`, text: "appended" };
    });
  },
};
