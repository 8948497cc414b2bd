/**
 * STARTTLS (RFC 9051 §6.2.1).
 *
 * @module
 */
import { ImapBad, ImapNo } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const starttls: Command = {
  name: "STARTTLS",
  states: State.NotAuthenticated,
  parse: (_, session) => () => {
    if (session.conn.tls) throw new ImapBad("TLS is on already");
    if (!session.backend.tls) throw new ImapNo("TLS is not available");
    return { text: "begin TLS" };
  },
  async afterwards(s) {
    if (s.backend.tls) await s.conn.startTlsServer(s.backend.tls);
  },
};
