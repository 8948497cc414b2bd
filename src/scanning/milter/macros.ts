/** Values of the macros for milters, by sendmail's names. @module */
import type { ScanEnvelope } from "../types.ts";
import type { Agreed } from "./negotiation.ts";
import { cString, packet } from "./packets.ts";

/** The stages with their letters, as in SMFIC_MACRO, and their default macros. */
const stages = {
  connect: { letter: "C", number: 0, usual: ["j", "{daemon_name}", "v", "{client_addr}"] },
  helo: {
    letter: "H",
    number: 1,
    usual: ["{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"],
  },
  mail: {
    letter: "M",
    number: 2,
    usual: ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}"],
  },
  rcpt: { letter: "R", number: 3, usual: ["{rcpt_mailer}", "{rcpt_host}", "{rcpt_addr}"] },
  data: { letter: "T", number: 4, usual: ["i"] },
  endOfHeader: { letter: "N", number: 6, usual: ["i"] },
  endOfMessage: { letter: "E", number: 5, usual: ["i"] },
} as const;
export type MacroStage = keyof typeof stages;

/** The packet with the macros of a stage. @param recipient at "rcpt" */
export function macros(
  stage: MacroStage,
  envelope: ScanEnvelope,
  agreed: Agreed,
  recipient = "",
): Uint8Array {
  const { letter, number, usual } = stages[stage];
  const values = valuesOf(envelope, recipient);
  const data = (agreed.macros.get(number) ?? usual).flatMap((name) => {
    const value = values.get(name.replace(/^\{|\}$/g, ""));
    return value === undefined || value === "" ? [] : [cString(name), cString(value)];
  });
  return packet("D", new TextEncoder().encode(letter), ...data);
}

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1);

function valuesOf(envelope: ScanEnvelope, recipient: string): Map<string, string | undefined> {
  const login = envelope.username;
  return new Map([
    ["j", envelope.hostname],
    ["daemon_name", envelope.hostname],
    ["v", "mox"],
    ["i", envelope.id],
    ["client_addr", envelope.remoteIp],
    ["client_name", envelope.remoteName ?? "unknown"],
    ["client_ptr", envelope.remoteName ?? "unknown"],
    ["client_port", String(envelope.remotePort)],
    ["_", `${envelope.remoteName ?? "unknown"} [${envelope.remoteIp}]`],
    ["s", envelope.hello],
    ["tls_version", envelope.tls?.version],
    ["cipher", envelope.tls?.cipher],
    ["auth_type", login === undefined ? undefined : "PLAIN"],
    ["auth_authen", login],
    ["auth_author", login],
    ["mail_addr", envelope.mailFrom],
    ["mail_host", domainOf(envelope.mailFrom)],
    ["f", envelope.mailFrom],
    ["rcpt_addr", recipient],
    ["rcpt_host", domainOf(recipient)],
    ["rcpt_mailer", "local"],
    ["nrcpts", String(envelope.recipients.length)],
  ]);
}
