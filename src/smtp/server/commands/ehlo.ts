/** EHLO and HELO (RFC 5321 §4.1.1.1). */
import { offeredMechanisms } from "../../../sasl/mod.ts";
import { SmtpError } from "../errors.ts";
import { maxHold } from "../options.ts";
import { parseDomainOrLiteral, PathError } from "../path.ts";
import type { Session } from "../session.ts";
import { saslContext } from "./auth.ts";
import { xclientAttributes } from "./xclient.ts";

async function hello(s: Session, args: string, extended: boolean): Promise<void> {
  if (args === "" || args.includes(" ") || args.includes("\t") || args.length > 255) {
    throw new SmtpError(501, "5.4", "domain or address literal expected");
  }
  if (s.pedantic) {
    try {
      parseDomainOrLiteral(args, { pedantic: true, utf8: true });
    } catch (e) {
      if (!(e instanceof PathError)) throw e;
      throw new SmtpError(501, "5.4", e.message, { cause: e });
    }
  }
  s.hello = { name: args, extended };
  // RFC 5321 §4.1.4: like RSET.
  await s.dropTransaction();
}

export async function helo(s: Session, args: string): Promise<void> {
  await hello(s, args, false);
  s.replyPlain(250, `${s.options.hostname} hello ${args}`);
}

export async function ehlo(s: Session, args: string): Promise<void> {
  await hello(s, args, true);
  s.replyPlain(250, extensions(s, args).join("\n"));
}

function extensions(s: Session, args: string): string[] {
  const { options, limits } = s;
  const list = [`${options.hostname} hello ${args}`, "PIPELINING", `SIZE ${limits.size}`];
  if (options.tls !== undefined && s.tls === undefined) list.push("STARTTLS");
  // RFC 8689 §4.1: only once TLS is on.
  if (s.tls !== undefined && !options.noRequireTls) list.push("REQUIRETLS");
  if (options.backend.sasl !== undefined && s.username === undefined) {
    const names = s.tls === undefined && options.requireTls
      ? []
      : offeredMechanisms(saslContext(s));
    if (names.length > 0) list.push(`AUTH ${names.join(" ")}`);
  }
  if (options.submission) {
    // RFC 4865 §3
    const until = new Date(Date.now() + maxHold).toISOString().replace(/\.\d+Z$/, "Z");
    list.push(`FUTURERELEASE ${maxHold / 1000} ${until}`);
  }
  if (s.conn.fromProxy) list.push(`XCLIENT ${xclientAttributes.join(" ")}`);
  list.push(
    ...["ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN"],
    `LIMITS RCPTMAX=${limits.recipients}`,
    "HELP",
  );
  return list;
}
