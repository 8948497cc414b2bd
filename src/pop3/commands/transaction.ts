/** Commands after login: STAT, LIST, UIDL, RETR, TOP, DELE, RSET. @module */
import { DotStuffer } from "../dot_stuffing.ts";
import type { DropMessage } from "../maildrop.ts";
import { type Pop3Command, Pop3Error, type Pop3Session } from "../session.ts";

export const stat: Pop3Command = {
  name: "STAT",
  state: "transaction",
  args: [0, 0],
  run(s) {
    const { live } = s.maildrop;
    s.ok(`${live.length} ${live.reduce((sum, m) => sum + m.size, 0)}`);
  },
};

/** LIST and UIDL: a line for one message or for all. */
function listing(name: string, what: (s: Pop3Session, m: DropMessage) => string): Pop3Command {
  return {
    name,
    state: "transaction",
    args: [0, 1],
    async run(s, [arg]) {
      if (arg !== undefined) {
        const m = s.message(arg);
        s.ok(`${m.number} ${what(s, m)}`);
        return;
      }
      const { live } = s.maildrop;
      s.ok(`${live.length} messages`);
      for (const [i, m] of live.entries()) {
        s.conn.write(`${m.number} ${what(s, m)}\r\n`);
        // A large maildrop is written as fast as it is read.
        if (i % 1000 === 999) await s.conn.flush();
      }
      s.conn.write(".\r\n");
    },
  };
}

export const list = listing("LIST", (_, m) => `${m.size}`);
export const uidl = listing("UIDL", (s, m) => s.maildrop.uniqueId(m));

/** Sends a message, or its header and so many lines of its body. */
async function send(s: Pop3Session, m: DropMessage, bodyLines: number): Promise<void> {
  let open: ReturnType<typeof s.maildrop.open>;
  try {
    open = s.maildrop.open(m);
  } catch (cause) {
    throw new Pop3Error("the message's file can't be read", "SYS/PERM", { cause });
  }
  if (open === undefined) throw new Pop3Error("message is gone", "SYS/PERM");
  try {
    s.ok(`${m.size} octets`);
    const stuffer = new DotStuffer(bodyLines);
    for (const piece of open.pieces) {
      s.conn.write(stuffer.push(piece));
      await s.conn.flush();
      if (stuffer.done) break;
    }
    s.conn.write(stuffer.end());
  } finally {
    open.close();
  }
}

export const retr: Pop3Command = {
  name: "RETR",
  state: "transaction",
  args: [1, 1],
  async run(s, [arg]) {
    const m = s.message(arg);
    await send(s, m, Infinity);
    m.retrieved = true;
  },
};

export const top: Pop3Command = {
  name: "TOP",
  state: "transaction",
  args: [2, 2],
  async run(s, [arg, lines]) {
    if (!/^\d{1,9}$/.test(lines)) throw new Pop3Error("number of lines expected");
    await send(s, s.message(arg), Number(lines));
  },
};

export const dele: Pop3Command = {
  name: "DELE",
  state: "transaction",
  args: [1, 1],
  run(s, [arg]) {
    const m = s.message(arg);
    m.deleted = true;
    s.ok(`message ${m.number} deleted`);
  },
};

export const rset: Pop3Command = {
  name: "RSET",
  state: "transaction",
  args: [0, 0],
  run(s) {
    for (const m of s.maildrop.messages) m.deleted = false;
    s.ok(`${s.maildrop.messages.length} messages`);
  },
};
