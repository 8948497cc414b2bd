/** Commands of a few lines: RSET, NOOP, HELP, VRFY, EXPN, QUIT (RFC 5321 §4.1.1.5-10). */
import { SmtpError } from "../errors.ts";
import type { Session } from "../session.ts";

function noArguments(args: string): void {
  if (args !== "") throw new SmtpError(501, "5.4", "no arguments expected");
}

export async function rset(session: Session, args: string): Promise<void> {
  noArguments(args);
  await session.dropTransaction();
  session.reply(250, "0.0", "reset");
}

export function noop(session: Session, _args: string): Promise<void> {
  session.reply(250, "0.0", "alright");
  return Promise.resolve();
}

export function help(session: Session, _args: string): Promise<void> {
  session.reply(
    214,
    "0.0",
    "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP\nsee RFC 5321",
  );
  return Promise.resolve();
}

/** The server does not reveal which users exist (RFC 5321 §7.3). */
export function vrfy(session: Session, args: string): Promise<void> {
  if (args === "") throw new SmtpError(501, "5.4", "address expected");
  session.reply(252, "5.2", "not verified, but delivery will be tried");
  return Promise.resolve();
}

export function expn(session: Session, args: string): Promise<void> {
  if (args === "") throw new SmtpError(501, "5.4", "list expected");
  session.reply(252, "5.2", "not expanded, but delivery will be tried");
  return Promise.resolve();
}

export function quit(session: Session, args: string): Promise<void> {
  noArguments(args);
  session.reply(221, "0.0", "bye");
  session.quit();
  return Promise.resolve();
}
