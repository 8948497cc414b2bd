/**
 * COMPRESS (RFC 4978).
 *
 * @module
 */
import { ImapBad, ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";

export const compress: Command = {
  name: "COMPRESS",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const algorithm = cursor.word("algorithm");
    return () => {
      if (algorithm !== "DEFLATE") throw new ImapBad("unknown algorithm");
      if (session.compressed) throw new ImapNo("compression is on already", "COMPRESSIONACTIVE");
      session.compressed = true;
      return { text: "compression begins" };
    };
  },
  afterwards(session) {
    session.conn.startDeflate();
    return Promise.resolve();
  },
};
