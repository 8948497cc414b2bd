/**
 * UIDBATCHES: the uids of the selected mailbox as ranges with the same number of messages in each, the newest first
 * (draft-ietf-mailmaint-imap-uidbatches), so that a client that wants part of a large mailbox needn't list all of it.
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import { type Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const uidBatches: Command = {
  name: "UIDBATCHES",
  states: State.Selected,
  capabilities: ["UIDBATCHES"],
  parse(cursor, session) {
    cursor.sp();
    const size = cursor.nzNumber("messages of a batch");
    let first = 1;
    let last = Infinity;
    if (!cursor.atEnd) {
      cursor.sp();
      first = cursor.nzNumber("first batch");
      cursor.expect(":");
      last = cursor.nzNumber("last batch");
      if (last < first) [first, last] = [last, first];
    }
    return () => {
      const { uids } = session.selected;
      const ranges: string[] = [];
      for (let n = first; n <= last; n++) {
        // Batches are counted from the end, the highest uid first.
        const to = uids.length - (n - 1) * size;
        if (to <= 0) break;
        const from = Math.max(0, to - size);
        ranges.push(from === to - 1 ? `${uids[from]}` : `${uids[to - 1]}:${uids[from]}`);
      }
      const tag = formatString(session.tag, false);
      session.untagged(`UIDBATCHES (TAG ${tag})${ranges.length > 0 ? ` ${ranges.join(",")}` : ""}`);
    };
  },
};
