/** Commands of both states: CAPA, UTF8, NOOP, QUIT. @module */
import { programVersion } from "../../platform/version.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { type Pop3Command, Pop3Error } from "../session.ts";

/** RFC 2449. */
export const capa: Pop3Command = {
  name: "CAPA",
  args: [0, 0],
  run(session) {
    session.ok("capabilities");
    const { mechanisms } = session;
    session.lines([
      "TOP",
      "UIDL",
      "RESP-CODES",
      "AUTH-RESP-CODE",
      "PIPELINING",
      "EXPIRE NEVER",
      // RFC 6856 §2: user names and passwords are UTF-8 too.
      "UTF8 USER",
      ...(session.drop === undefined && session.saslContext.mayShowPassword ? ["USER"] : []),
      ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(" ")}`] : []),
      ...(session.drop === undefined && session.conn.tls === undefined && session.backend.tls
        ? ["STLS"]
        : []),
      ...(session.drop === undefined ? [] : [`IMPLEMENTATION mox-${programVersion}`]),
    ]);
  },
};

/** RFC 6856 §2: before login. Messages are sent as they are in any case. */
export const utf8: Pop3Command = {
  name: "UTF8",
  state: "authorization",
  args: [0, 0],
  run(session) {
    session.utf8 = true;
    session.ok();
  },
};

export const noop: Pop3Command = {
  name: "NOOP",
  state: "transaction",
  args: [0, 0],
  run: (s) => s.ok(),
};

/** RFC 1939 §6: deletions are carried out, and the answer reports whether they were. */
export const quit: Pop3Command = {
  name: "QUIT",
  args: [0, 0],
  async run(session) {
    session.ended = true;
    if (session.drop !== undefined) {
      try {
        await session.drop.update();
      } catch (cause) {
        if (!isStorageFull(cause)) session.log.error("deleting messages", { err: cause as Error });
        throw new Pop3Error("some deleted messages are not removed", "SYS/TEMP", { cause });
      }
    }
    session.ok("bye");
  },
};
