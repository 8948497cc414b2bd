/**
 * IDLE (RFC 2177): changes are sent the moment they are committed.
 *
 * @module
 */
import { ImapBad } from "../answer.ts";
import { deliverChanges } from "../changes.ts";
import { type Command, loggedIn } from "../command.ts";

export const idle: Command = {
  name: "IDLE",
  states: loggedIn,
  capabilities: ["IDLE"],
  parse: (_, s) => async () => {
    const { conn, listener } = s;
    conn.write("+ waiting\r\n");
    for (;;) {
      // What is pending is sent first; the signal stays set for what comes meanwhile.
      await deliverChanges(s, true);
      await conn.flush();
      if (s.ended) return;
      if (conn.buffered > 0) break;
      const stop = new AbortController();
      try {
        await Promise.race([conn.waitInput(stop.signal), listener!.wait(stop.signal)]);
      } finally {
        stop.abort();
      }
      if (conn.buffered > 0 || (!listener!.pending && !listener!.overflowed)) break;
    }
    const line = new TextDecoder("latin1").decode(await conn.readLine(1024));
    if (line.toUpperCase() !== "DONE") throw new ImapBad("expected DONE");
  },
};
