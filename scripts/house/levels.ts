/** The folders of `src` from the bottom to the top. Folders of one level don't know each other. @module */
export const levels: readonly (readonly string[])[] = [
  ["platform"],
  ["log", "metrics"],
  ["mail", "net", "sasl", "dns"],
  ["config"],
  ["sieve"],
  ["store"],
  ["groupware"],
  ["dnsupdate"],
  ["junk", "senderauth", "tlspolicy", "reports", "acme", "identity", "smtp/client", "web/http"],
  ["queue", "nodes", "lists"],
  ["delivery"],
  ["admin"],
  ["smtp/server", "imap", "web", "managesieve", "jmap", "dav", "pop3"],
  ["serve"],
  ["commands"],
];
