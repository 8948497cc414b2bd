/**
 * IDLE (RFC 2177): changes are sent the moment they are committed.
 *
 * @module
 */
import { ImapBad } from "../session/answer.ts";
import { deliverUntilInput } from "../updates/changes.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { discardRest } from "../session/reader.ts";

export const idle: Command = {
  name: "IDLE",
  states: loggedIn,
  capabilities: ["IDLE"],
  parse: (_, session) => async () => {
    const { conn } = session;
    conn.write("+ waiting\r\n");
    // Thunderbird ignores EXISTS while it fetches: sending it again does no harm.
    if (session.existsAfterFetch && session.view) session.untagged(`${session.view.count} EXISTS`);
    session.existsAfterFetch = false;
    await deliverUntilInput(session, true);
    if (session.ended) return;
    const line = (await conn.readLine(1024)).slice();
    if (new TextDecoder("latin1").decode(line).toUpperCase() === "DONE") return;
    await discardRest(conn, line, true);
    throw new ImapBad("expected DONE");
  },
};
