/** Commands after login: STAT, LIST, UIDL, RETR, TOP, DELE, RSET. @module */
import { DotStuffer } from "../dot_stuffing.ts";
import type { DropMessage } from "../maildrop.ts";
import { type Pop3Command, Pop3Error, type Pop3Session } from "../session.ts";

export const stat: Pop3Command = {
  name: "STAT",
  state: "transaction",
  args: [0, 0],
  run(session) {
    const { live } = session.maildrop;
    session.ok(`${live.length} ${live.reduce((sum, m) => sum + m.size, 0)}`);
  },
};

/** LIST and UIDL: a line for one message or for all. */
function listing(
  name: string,
  what: (session: Pop3Session, message: DropMessage) => string,
): Pop3Command {
  return {
    name,
    state: "transaction",
    args: [0, 1],
    async run(session, [arg]) {
      if (arg !== undefined) {
        const m = session.message(arg);
        session.ok(`${m.number} ${what(session, m)}`);
        return;
      }
      const { live } = session.maildrop;
      session.ok(`${live.length} messages`);
      for (const [i, m] of live.entries()) {
        session.conn.write(`${m.number} ${what(session, m)}\r\n`);
        // A large maildrop is written as fast as it is read.
        if (i % 1000 === 999) await session.conn.flush();
      }
      session.conn.write(".\r\n");
    },
  };
}

export const list = listing("LIST", (_, m) => `${m.size}`);
export const uidl = listing("UIDL", (s, m) => s.maildrop.uniqueId(m));

/** Sends a message, or its header and the given number of lines of its body. */
async function send(session: Pop3Session, message: DropMessage, bodyLines: number): Promise<void> {
  let open: ReturnType<typeof session.maildrop.open>;
  try {
    open = session.maildrop.open(message);
  } catch (cause) {
    throw new Pop3Error("the message's file can't be read", "SYS/PERM", { cause });
  }
  if (open === undefined) throw new Pop3Error("message is gone", "SYS/PERM");
  try {
    session.ok(`${message.size} octets`);
    const stuffer = new DotStuffer(bodyLines);
    for (const piece of open.pieces) {
      session.conn.write(stuffer.push(piece));
      await session.conn.flush();
      if (stuffer.done) break;
    }
    session.conn.write(stuffer.end());
  } finally {
    open.close();
  }
}

export const retr: Pop3Command = {
  name: "RETR",
  state: "transaction",
  args: [1, 1],
  async run(session, [arg]) {
    const m = session.message(arg);
    await send(session, m, Infinity);
    m.retrieved = true;
  },
};

export const top: Pop3Command = {
  name: "TOP",
  state: "transaction",
  args: [2, 2],
  async run(session, [arg, lines]) {
    if (!/^\d{1,9}$/.test(lines)) throw new Pop3Error("number of lines expected");
    await send(session, session.message(arg), Number(lines));
  },
};

export const dele: Pop3Command = {
  name: "DELE",
  state: "transaction",
  args: [1, 1],
  run(session, [arg]) {
    const m = session.message(arg);
    m.deleted = true;
    session.ok(`message ${m.number} deleted`);
  },
};

export const rset: Pop3Command = {
  name: "RSET",
  state: "transaction",
  args: [0, 0],
  run(session) {
    for (const m of session.maildrop.messages) m.deleted = false;
    session.ok(`${session.maildrop.messages.length} messages`);
  },
};
