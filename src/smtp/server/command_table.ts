/**
 * All SMTP commands.
 *
 * @module
 */
import { auth } from "./commands/auth.ts";
import { bdat } from "./commands/bdat.ts";
import { data } from "./commands/data.ts";
import { ehlo, helo } from "./commands/ehlo.ts";
import { expn, help, noop, quit, rset, vrfy } from "./commands/small.ts";
import { mail } from "./commands/mail.ts";
import { rcpt } from "./commands/rcpt.ts";
import { starttls } from "./commands/starttls.ts";
import { xclient } from "./commands/xclient.ts";
import type { Command } from "./session.ts";

/** RFC 2033 §4.1: LHLO instead of HELO and EHLO; without commands between server and user. */
export function lmtpCommands(): ReadonlyMap<string, Command> {
  const table = new Map(commandTable);
  for (const verb of ["HELO", "EHLO", "AUTH", "STARTTLS"]) table.delete(verb);
  return table.set("LHLO", { metric: "ehlo", run: ehlo });
}

/** By verb in upper case. */
export const commandTable: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["HELO", { metric: "helo", run: helo }],
  ["EHLO", { metric: "ehlo", run: ehlo }],
  ["STARTTLS", { metric: "starttls", run: starttls }],
  ["AUTH", { metric: "auth", run: auth }],
  ["MAIL", { metric: "mail", run: mail }],
  ["RCPT", { metric: "rcpt", run: rcpt }],
  ["DATA", { metric: "data", run: data }],
  ["BDAT", { metric: "bdat", run: bdat }],
  ["RSET", { metric: "rset", run: rset }],
  ["VRFY", { metric: "vrfy", run: vrfy }],
  ["EXPN", { metric: "expn", run: expn }],
  ["HELP", { metric: "help", run: help }],
  ["NOOP", { metric: "noop", run: noop }],
  ["QUIT", { metric: "quit", run: quit }],
  ["XCLIENT", { metric: "xclient", run: xclient }],
]);
