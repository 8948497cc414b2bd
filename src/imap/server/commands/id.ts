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
 * A trusted proxy names the client that it speaks for, in the fields that Dovecot's proxies send.
 * @throws ImapBad for what is no address or port; ImapNo LIMIT if the client's networks have too many connections
 */
function clientOfProxy(s: Session, fields: Record<string, string>): void {
  const given = fields["x-originating-ip"];
  if (given === undefined) return;
  const proxy = s.conn.remoteIp;
  const address = (name: string) => {
    const ip = fields[name];
    if (ip === undefined || ip === "") return undefined;
    if (parseIp(ip) === undefined || ip.includes("%")) throw refuse(s, `${name} is no IP address`);
    return canonicalIp(ip);
  };
  const port = (name: string) => {
    const text = fields[name];
    if (text === undefined || text === "") return undefined;
    const n = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
    if (n > 65535) throw refuse(s, `${name} is no port`);
    return n;
  };
  const ends = {
    remoteIp: address("x-originating-ip"),
    remotePort: port("x-originating-port"),
    localIp: address("x-connected-ip"),
    localPort: port("x-connected-port"),
  };
  if (ends.remoteIp === undefined) throw refuse(s, "x-originating-ip is empty");
  const peer = Object.fromEntries(Object.entries(ends).filter(([, v]) => v !== undefined));
  if (!s.conn.clientIs(peer)) {
    s.ended = true;
    throw new ImapNo("too many connections from the client's network", "LIMIT");
  }
  s.log.info("proxy names its client", {
    proxy,
    remote: s.conn.remoteIp,
    session: (fields["x-session-id"] ?? "").slice(0, 100),
  });
}

/** A proxy whose words can't be used has nothing more to say. */
function refuse(s: Session, text: string): ImapBad {
  s.ended = true;
  return new ImapBad(`ID: ${text}`);
}

export const id: Command = {
  name: "ID",
  states: anyState,
  capabilities: ["ID"],
  parse(c, s) {
    c.sp();
    const fields: Record<string, string> = {};
    if (!c.takeWord("NIL")) {
      c.expect("(");
      const start = c.pos;
      let n = 0;
      while (!c.take(")")) {
        if (c.pos > start) c.sp();
        // RFC 2971 §3.3: at most 30 pairs.
        if (++n > 30) c.fail("at most 30 fields");
        const key = c.string("field name");
        c.sp();
        fields[key.toLowerCase()] = c.nstring("field value") ?? "";
      }
    }
    return () => {
      if (s.conn.fromProxy && !s.account) clientOfProxy(s, fields);
      s.log.info("imap client id", {
        name: fields.name?.slice(0, 100),
        version: fields.version?.slice(0, 100),
      });
      s.untagged(`ID ("name" ${formatString("mox", false)})`);
    };
  },
};
