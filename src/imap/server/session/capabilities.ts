/**
 * Which capabilities are announced, by state and TLS.
 *
 * Those of commands come from their table, through the session; those without a command are listed here.
 *
 * @module
 */
import { mechanisms } from "./sasl_context.ts";
import type { Session } from "./session.ts";
import { State } from "./session.ts";

/** Extensions to how commands are read or answered, wherever they are. */
const withoutCommand = [
  "LITERAL+",
  "UTF8=ACCEPT",
  "UIDONLY",
  "INPROGRESS",
  // RFC 5255 §4.2: texts are compared by i;unicode-casemap.
  "I18NLEVEL=1",
  // RFC 5550 §4.3: URLs may have ;PARTIAL=.
  "URL-PARTIAL",
];

/** The capabilities as one text. */
export function capabilityText(session: Session): string {
  const list = ["IMAP4rev2", "IMAP4rev1"];
  if (session.state === State.NotAuthenticated) {
    if (!session.conn.tls && session.backend.tls) list.push("STARTTLS");
    // RFC 9051 §6.2.3.
    if (!session.conn.tls && !session.backend.plaintextLogin) list.push("LOGINDISABLED");
    for (const m of mechanisms(session)) list.push(`AUTH=${m}`);
  }
  for (const c of [...withoutCommand, ...session.commandCapabilities]) {
    if (c === "JMAPACCESS" && session.backend.jmapUrl === undefined) continue;
    list.push(c === "APPENDLIMIT" ? `APPENDLIMIT=${session.backend.maxMessageSize}` : c);
  }
  if (session.backend.scripts) list.push(`IMAPSIEVE=${session.backend.scripts.url}`);
  if (!session.compressed && session.state !== State.NotAuthenticated) {
    list.push("COMPRESS=DEFLATE");
  }
  const disabled = session.account && session.backend.capabilitiesDisabled?.(session.account.name);
  if (!disabled || disabled.length === 0) return list.join(" ");
  const names = new Set(disabled.map((c) => c.toUpperCase()));
  return list.filter((c) => !names.has(c.toUpperCase())).join(" ");
}
