/**
 * ID (RFC 2971).
 *
 * @module
 */
import { canonicalIp, parseIp } from "../../../net/mod.ts";
import { formatString } from "../../format/text.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import { anyState, type Command } from "../session/command.ts";
import type { Session } from "../session/session.ts";

/**
 * A trusted proxy names the client it speaks for, in the fields that Dovecot's proxies send.
 * @throws ImapBad for an invalid address or port; ImapNo LIMIT if the client's networks have too many connections
 */
function clientOfProxy(session: Session, fields: Record<string, string>): void {
  const given = fields["x-originating-ip"];
  if (given === undefined) return;
  const proxy = session.conn.remoteIp;
  const address = (name: string) => {
    const ip = fields[name];
    if (ip === undefined || ip === "") return undefined;
    if (parseIp(ip) === undefined || ip.includes("%")) {
      throw refuse(session, `${name} is no IP address`);
    }
    return canonicalIp(ip);
  };
  const port = (name: string) => {
    const text = fields[name];
    if (text === undefined || text === "") return undefined;
    const n = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
    if (n > 65535) throw refuse(session, `${name} is no port`);
    return n;
  };
  const ends = {
    remoteIp: address("x-originating-ip"),
    remotePort: port("x-originating-port"),
    localIp: address("x-connected-ip"),
    localPort: port("x-connected-port"),
  };
  if (ends.remoteIp === undefined) throw refuse(session, "x-originating-ip is empty");
  const peer = Object.fromEntries(Object.entries(ends).filter(([, v]) => v !== undefined));
  if (!session.conn.clientIs(peer)) {
    session.ended = true;
    throw new ImapNo("too many connections from the client's network", "LIMIT");
  }
  session.log.info("proxy names its client", {
    proxy,
    remote: session.conn.remoteIp,
    session: (fields["x-session-id"] ?? "").slice(0, 100),
  });
}

/** Ends the connection of a proxy whose fields can't be used. */
function refuse(session: Session, text: string): ImapBad {
  session.ended = true;
  return new ImapBad(`ID: ${text}`);
}

export const id: Command = {
  name: "ID",
  states: anyState,
  capabilities: ["ID"],
  parse(cursor, session) {
    cursor.sp();
    const fields: Record<string, string> = {};
    if (!cursor.takeWord("NIL")) {
      cursor.expect("(");
      const start = cursor.pos;
      let n = 0;
      while (!cursor.take(")")) {
        if (cursor.pos > start) cursor.sp();
        // RFC 2971 §3.3: at most 30 pairs.
        if (++n > 30) cursor.fail("at most 30 fields");
        const key = cursor.string("field name");
        cursor.sp();
        fields[key.toLowerCase()] = cursor.nstring("field value") ?? "";
      }
    }
    return () => {
      if (session.conn.fromProxy && !session.account) clientOfProxy(session, fields);
      session.log.info("imap client id", {
        name: fields.name?.slice(0, 100),
        version: fields.version?.slice(0, 100),
      });
      session.untagged(`ID ("name" ${formatString("mox", false)})`);
    };
  },
};
