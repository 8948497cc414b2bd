/**
 * Metrics of the SMTP server.
 *
 * @module
 */
import { counter } from "../../metrics/mod.ts";

const kinds = ["smtp", "submission"] as const;

/** Kind of listener. */
export type Kind = (typeof kinds)[number];

export const connections = counter(
  "mox_smtpserver_connection_total",
  "Incoming SMTP connections.",
  { kind: kinds },
);

const commandNames = [
  ...["helo", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "vrfy", "expn"],
  ...["help", "noop", "quit", "xclient", "(other)"],
] as const;
export type CommandName = (typeof commandNames)[number];

export const commands = counter(
  "mox_smtpserver_command_total",
  "SMTP commands by class of the answer.",
  { kind: kinds, cmd: commandNames, result: ["2xx", "3xx", "4xx", "5xx"] },
);

export const messages = counter(
  "mox_smtpserver_message_total",
  "Messages received completely, by what became of them for each recipient.",
  { kind: kinds, result: ["accepted", "refused", "tempfail", "error"] },
);

export const smuggling = counter(
  "mox_smtpserver_bare_line_end_total",
  "Messages and commands refused for a CR or LF on its own.",
  { kind: kinds },
);
