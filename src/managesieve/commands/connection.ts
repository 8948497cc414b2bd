/** Commands about the connection itself: CAPABILITY, NOOP, LOGOUT, STARTTLS, UNAUTHENTICATE (RFC 5804 §2). @module */
import { answerLine, No, stringText } from "../answers.ts";
import type { Command } from "../session.ts";

export const capability: Command = {
  name: "CAPABILITY",
  when: "always",
  run(session, a) {
    a.end();
    session.conn.write(session.capabilities());
    return {};
  },
};

export const noop: Command = {
  name: "NOOP",
  when: "always",
  run(_s, a) {
    const tag = a.more ? a.text("tag") : undefined;
    a.end();
    return { code: tag === undefined ? undefined : `TAG ${stringText(tag)}`, text: "done" };
  },
};

export const logout: Command = {
  name: "LOGOUT",
  when: "always",
  run(session, a) {
    a.end();
    session.ended = true;
    return { text: "bye" };
  },
};

export const starttls: Command = {
  name: "STARTTLS",
  when: "before",
  run(session, a) {
    a.end();
    if (session.conn.tls) throw new No("TLS is on already");
    if (!session.backend.tls) throw new No("TLS is not available");
    return { text: "begin TLS" };
  },
  async afterwards(session) {
    if (!session.backend.tls || session.conn.tls) return;
    await session.conn.startTlsServer(session.backend.tls);
    // RFC 5804 §2.2: what was exchanged before TLS can't be trusted.
    session.conn.write(session.capabilities() + answerLine("OK", { text: "TLS is on" }));
    await session.conn.flush();
  },
};

export const unauthenticate: Command = {
  name: "UNAUTHENTICATE",
  when: "after",
  run(session, a) {
    a.end();
    session.logOut();
    return {};
  },
};
