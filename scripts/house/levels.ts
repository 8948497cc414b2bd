/** The folders of `src` from the bottom to the top. Folders of one level don't know each other. @module */
export const levels: readonly (readonly string[])[] = [
  ["platform"],
  ["log", "metrics"],
  ["mail", "net", "sasl", "dns"],
  ["config"],
  ["sieve"],
  ["store"],
  ["junk", "senderauth", "tlspolicy", "reports", "acme", "smtp/client", "web/http"],
  ["queue"],
  ["delivery"],
  ["admin"],
  ["smtp/server", "imap", "web", "managesieve", "jmap", "pop3"],
  ["serve"],
  ["commands"],
];
