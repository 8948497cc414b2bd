/**
 * CANCELUPDATE (RFC 5267 §4.3.5): ends updates of results.
 *
 * @module
 */
import { ImapBad, ImapNo } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const cancelUpdate: Command = {
  name: "CANCELUPDATE",
  states: State.Selected,
  parse(cursor, session) {
    const tags: string[] = [];
    do {
      cursor.sp();
      if (tags.length >= 100) throw new ImapBad("at most 100 tags");
      tags.push(cursor.string("tag"));
    } while (!cursor.atEnd);
    return () => {
      const v = session.selected;
      const unknown = tags.find((t) => !v.contexts.some((x) => x.tag === t));
      if (unknown !== undefined) throw new ImapNo(`no updates for tag ${unknown}`);
      v.contexts = v.contexts.filter((x) => !tags.includes(x.tag));
    };
  },
};
