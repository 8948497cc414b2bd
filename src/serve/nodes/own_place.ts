/** Where proxies find a server that is no node. @module */
import type { Listener, Node } from "../../config/mod.ts";

/** Address and ports of a listener, as a node would have them. */
export function ownPlace(l: Listener): Pick<Node, "Address" | "ProxyPorts"> {
  return {
    Address: l.IPs[0] ?? "127.0.0.1",
    ProxyPorts: {
      SMTP: l.SMTP.Port || 25,
      Submission: l.Submission.Port || 587,
      IMAP: l.IMAP.Port || 143,
      POP3: l.POP3.Port || 110,
      ManageSieve: l.ManageSieve.Port || 4190,
      Web: [l.WebmailHTTP, l.AccountHTTP, l.AdminHTTP, l.WebAPIHTTP].find((s) => s.Enabled)?.Port ||
        80,
    },
  };
}
