/**
 * SETMETADATA (RFC 5464 §4.3).
 *
 * @module
 */
import { maxAnnotationBytes } from "../../../store/mailboxes/annotations.ts";
import type { Cursor } from "../../parse/cursor.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { checkEntry, metadataTarget } from "../mailboxes/metadata_entries.ts";
import { isPrivateEntry } from "../names/metadata_text.ts";

function readValue(c: Cursor): Uint8Array | null {
  if (c.takeWord("NIL")) return null;
  if (c.at("~") || c.at("{")) return c.literal(true).slice();
  return c.quotedBytes().slice();
}

export const setMetadata: Command = {
  name: "SETMETADATA",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const entries = c.list(() => {
      const key = c.astring("entry name");
      c.sp();
      return { key, value: readValue(c) };
    });
    return async () => {
      for (const e of entries) {
        checkEntry(e.key);
        if (e.value && e.value.length > maxAnnotationBytes) {
          throw new ImapNo("value is too long", `METADATA MAXSIZE ${maxAnnotationBytes}`);
        }
      }
      const { source: { account, listener }, id } = await metadataTarget(s, name, "w");
      if (account !== s.account && entries.some((e) => isPrivateEntry(e.key))) {
        throw new ImapNo(
          "private notes are kept for mailboxes of your own only",
          "METADATA NOPRIVATE",
        );
      }
      await account.annotations.set(id, entries, listener);
    };
  },
};
