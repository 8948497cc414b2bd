/**
 * SETMETADATA (RFC 5464 §4.3), which also sets special uses (RFC 6154 §4).
 *
 * @module
 */
import { maxAnnotationBytes } from "../../../store/mailboxes/annotations.ts";
import type { Cursor } from "../../parse/cursor.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { checkEntry, metadataTarget } from "../mailboxes/metadata_entries.ts";
import { isPrivateEntry, specialUseEntry } from "../names/metadata_text.ts";
import { noMailbox } from "../../../store/ids.ts";
import { specialUseBits } from "../mailboxes/special_uses.ts";

function readValue(cursor: Cursor): Uint8Array | null {
  if (cursor.takeWord("NIL")) return null;
  if (cursor.at("~") || cursor.at("{")) return cursor.literal(true).slice();
  return cursor.quotedBytes().slice();
}

export const setMetadata: Command = {
  name: "SETMETADATA",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    cursor.sp();
    const entries = cursor.list(() => {
      const key = cursor.astring("entry name");
      cursor.sp();
      return { key, value: readValue(cursor) };
    });
    return async () => {
      for (const e of entries) {
        checkEntry(e.key);
        if (e.value && e.value.length > maxAnnotationBytes) {
          throw new ImapNo("value is too long", `METADATA MAXSIZE ${maxAnnotationBytes}`);
        }
      }
      const { source: { account, listener }, id } = await metadataTarget(session, name, "w");
      if (account !== session.account && entries.some((e) => isPrivateEntry(e.key))) {
        throw new ImapNo(
          "private notes are kept for mailboxes of your own only",
          "METADATA NOPRIVATE",
        );
      }
      const uses = entries.findLast((e) => e.key.toLowerCase() === specialUseEntry);
      if (uses === undefined || id === noMailbox) {
        return await account.annotations.set(id, entries, listener);
      }
      if (account.mailbox(id)?.name === "Inbox") {
        throw new ImapNo("INBOX gets no special use", "USEATTR");
      }
      const bits = specialUseBits(uses.value);
      const others = entries.filter((e) => e.key.toLowerCase() !== specialUseEntry);
      await account.annotateWithUses(id, others, bits, listener);
    };
  },
};
