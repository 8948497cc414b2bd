/** EHLO and HELO (RFC 5321 §4.1.1.1). */
import { offeredMechanisms } from "../../../sasl/mod.ts";
import { SmtpError } from "../errors.ts";
import { maxHold } from "../options.ts";
import { parseDomainOrLiteral, PathError } from "../path.ts";
import type { Session } from "../session.ts";
import { saslContext } from "./auth.ts";
import { xclientAttributes } from "./xclient.ts";

/** The name; for a device's name with spaces, such as "John's PC", the first word. */
async function hello(session: Session, given: string, extended: boolean): Promise<string> {
  const args = session.pedantic ? given : given.trimStart().split(/[ \t]/, 1)[0];
  if (args === "" || args.includes(" ") || args.includes("\t") || args.length > 255) {
    throw new SmtpError(501, "5.4", "domain or address literal expected");
  }
  if (session.pedantic) {
    try {
      parseDomainOrLiteral(args, { pedantic: true, utf8: true });
    } catch (e) {
      if (!(e instanceof PathError)) throw e;
      throw new SmtpError(501, "5.4", e.message, { cause: e });
    }
  }
  session.hello = { name: args, extended };
  // RFC 5321 §4.1.4: like RSET.
  await session.dropTransaction();
  return args;
}

export async function helo(session: Session, args: string): Promise<void> {
  const name = await hello(session, args, false);
  session.replyPlain(250, `${session.options.hostname} hello ${name}`);
}

export async function ehlo(session: Session, args: string): Promise<void> {
  const name = await hello(session, args, true);
  session.replyPlain(250, extensions(session, name).join("\n"));
}

function extensions(session: Session, args: string): string[] {
  const { options, limits } = session;
  const list = [`${options.hostname} hello ${args}`, "PIPELINING", `SIZE ${limits.size}`];
  if (options.tls !== undefined && session.tls === undefined) list.push("STARTTLS");
  // RFC 8689 §4.1: only once TLS is on.
  if (session.tls !== undefined && !options.noRequireTls) list.push("REQUIRETLS");
  if (options.backend.sasl !== undefined && session.username === undefined) {
    const names = session.tls === undefined && options.requireTls
      ? []
      : offeredMechanisms(saslContext(session));
    if (names.length > 0) list.push(`AUTH ${names.join(" ")}`);
  }
  if (options.submission) {
    // RFC 4865 §3
    const until = new Date(Date.now() + maxHold).toISOString().replace(/\.\d+Z$/, "Z");
    list.push(`FUTURERELEASE ${maxHold / 1000} ${until}`);
  }
  if (session.conn.fromProxy) list.push(`XCLIENT ${xclientAttributes.join(" ")}`);
  list.push(
    ...["ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN"],
    `LIMITS RCPTMAX=${limits.recipients}`,
    "HELP",
  );
  return list;
}
