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
  parse(c, s) {
    c.sp();
    const algorithm = c.word("algorithm");
    return () => {
      if (algorithm !== "DEFLATE") throw new ImapBad("unknown algorithm");
      if (s.compressed) throw new ImapNo("compression is on already", "COMPRESSIONACTIVE");
      s.compressed = true;
      return { text: "compression begins" };
    };
  },
  afterwards(s) {
    s.conn.startDeflate();
    return Promise.resolve();
  },
};
