/**
 * REPLACE and UID REPLACE (RFC 8508 §3).
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import type { Mailbox, Message } from "../../../store/types.ts";
import { Cursor } from "../../parse/cursor.ts";
import { type NumSet, parseNumSet } from "../../parse/numset.ts";
import { type Answer, ImapNo } from "../session/answer.ts";
import { deliverChanges } from "../updates/changes.ts";
import type { Command } from "../session/command.ts";
import { receiveMessage, storing, withFiles } from "../messages/incoming_message.ts";
import { permittedFlags } from "../../../store/messages/flag_rights.ts";
import { place, requireRight } from "../mailboxes/places.ts";
import { resolveUids } from "../messages/resolve.ts";
import { type Session, State } from "../session/session.ts";
import { refusing, StreamedInput } from "../messages/streamed_input.ts";

function replaceCommand(uid: boolean): Command {
  return {
    name: uid ? "UID REPLACE" : "REPLACE",
    states: State.Selected,
    capabilities: ["REPLACE"],
    parse: (c) => c.fail("message"),
    stream(cursor, session) {
      const input = new StreamedInput(session, cursor);
      return withFiles(session, async (next): Promise<Answer> => {
        const r = await refusing(input, async () => {
          input.c.sp();
          const set: NumSet = parseOne(input.c);
          input.c.sp();
          const name = await input.mailbox();
          if (!uid) session.requireSequenceNumbers();
          const v = session.writable();
          // RFC 8508 §3.3 with RFC 4314.
          requireRight(v.rights, "t");
          requireRight(v.rights, "e");
          const uids = resolveUids(session, set, uid);
          if (uids.length !== 1) throw new ImapNo("no such message", "NONEXISTENT");
          const to = await place(session, name, "i", "TRYCREATE");
          input.c.sp();
          const message = permittedFlags(to.rights, await receiveMessage(input, next()));
          input.c.end();
          return { v, old: uids[0], to, message };
        });
        const { account, mailbox } = r.to;
        if (account !== r.v.account) {
          // The new message first: if the server stops in between, both exist.
          const [made] = await storing(session, account.append(mailbox.id, [r.message]));
          await r.v.account.expunge(r.v.mailboxId, [r.old], undefined, { force: true });
          return await replaced(session, r.to, made);
        }
        const done = await storing(
          session,
          account.replace(r.v.mailboxId, r.old, mailbox.id, r.message),
        );
        return await replaced(session, r.to, done.message);
      });
    },
  };
}

/** RFC 8508 §3.1: APPENDUID is untagged and comes before the expunge. */
async function replaced(
  session: Session,
  { account, mailbox }: { account: Account; mailbox: Mailbox },
  message: Message,
): Promise<Answer> {
  // RFC 8508 §3: it is an APPEND, so RFC 6785 §3.4 applies too.
  await session.backend.scripts?.note({
    account,
    login: session.login ?? "",
    cause: "APPEND",
    mailboxId: mailbox.id,
    uids: [message.uid],
    changedFlags: [],
  });
  session.untagged(`OK [APPENDUID ${mailbox.uidValidity} ${message.uid}] replacement is there`);
  await deliverChanges(session, true);
  return { text: "replaced" };
}

/** A single number, or "*". */
function parseOne(cursor: Cursor): NumSet {
  const start = cursor.pos;
  const set = parseNumSet(cursor, "message number", false);
  if (set.ranges.length !== 1 || set.ranges[0][0] !== set.ranges[0][1]) {
    cursor.fail("one number", start);
  }
  return set;
}

export const replaceBySeq = replaceCommand(false);
export const replaceByUid = replaceCommand(true);
