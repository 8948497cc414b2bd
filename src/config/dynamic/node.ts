/** A node of domains.conf: one of several servers that share the accounts. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { struct } from "../sconf/schema_blocks.ts";
import { bool, text } from "../sconf/schema_scalars.ts";
import { ipText, originText, port } from "../sconf/types.ts";

/** SHA-256 of a public key in base64. */
const keyHash = text(
  (s) => /^[A-Za-z0-9+/]{43}=$/.test(s) ? undefined : "is not what `mox node key` prints",
  "the hash of a public key, as `mox node key` prints it",
);

export const node = struct({
  Address: required(ipText, "IP address by which the other nodes and the proxies reach it."),
  Port: optional(port, "Where the other nodes connect to, by TLS.", 4424),
  Key: required(keyHash, "Of the node's key; `mox node key` prints it on the node."),
  ProxyPorts: optional(
    struct({
      SMTP: optional(port, "", 25),
      Submission: optional(port, "", 587),
      IMAP: optional(port, "", 143),
      POP3: optional(port, "", 110),
      ManageSieve: optional(port, "", 4190),
      Web: optional(port, "", 80),
    }),
    "Ports at Address that proxies pass connections on to, as AuthHTTP tells nginx.",
  ),
  Standby: nullable(
    struct({
      Address: required(ipText, "IP address by which the node and the others reach it."),
      Port: optional(port, "", 4424),
      Key: required(keyHash, "Of the standby's own key; `mox node key -standby` prints it there."),
    }),
    "A second machine that follows the node's data with `mox standby`, and takes its place with `mox promote`.",
  ),
  QueueWhenAway: optional(
    bool,
    "Mail from outside for its accounts that comes to another node while this one can't be reached is queued there, " +
      "and passed on when it is back. Without it the sender is asked to try again (451). What this node then refuses " +
      "is returned to the sender if SPF has verified it, and otherwise dropped but for the Rejects mailbox.",
  ),
  WebURL: optional(
    originText,
    "Origin of the node's web pages, such as https://one.example.org, which users of its accounts are sent " +
      "to. Without it they are told the node's name.",
  ),
});
export type Node = Infer<typeof node>;
