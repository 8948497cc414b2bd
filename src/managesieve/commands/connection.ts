/** Commands about the connection itself: CAPABILITY, NOOP, LOGOUT, STARTTLS, UNAUTHENTICATE (RFC 5804 §2). @module */
import { answerLine, No, stringText } from "../answers.ts";
import type { Command } from "../session.ts";

export const capability: Command = {
  name: "CAPABILITY",
  when: "always",
  run(s, a) {
    a.end();
    s.conn.write(s.capabilities());
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
  run(s, a) {
    a.end();
    s.ended = true;
    return { text: "bye" };
  },
};

export const starttls: Command = {
  name: "STARTTLS",
  when: "before",
  run(s, a) {
    a.end();
    if (s.conn.tls) throw new No("TLS is on already");
    if (!s.backend.tls) throw new No("TLS is not available");
    return { text: "begin TLS" };
  },
  async afterwards(s) {
    if (!s.backend.tls || s.conn.tls) return;
    await s.conn.startTlsServer(s.backend.tls);
    // RFC 5804 §2.2: what was said before TLS can't be trusted.
    s.conn.write(s.capabilities() + answerLine("OK", { text: "TLS is on" }));
    await s.conn.flush();
  },
};

export const unauthenticate: Command = {
  name: "UNAUTHENTICATE",
  when: "after",
  run(s, a) {
    a.end();
    s.logOut();
    return {};
  },
};
