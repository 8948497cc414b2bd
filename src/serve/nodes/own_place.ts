/** Where proxies find a server without nodes. @module */
import type { Listener, Node } from "../../config/mod.ts";

/** Address and ports of a listener, as a node would have them. */
export function ownPlace(listener: Listener): Pick<Node, "Address" | "ProxyPorts"> {
  return {
    Address: listener.IPs[0] ?? "127.0.0.1",
    ProxyPorts: {
      SMTP: listener.SMTP.Port || 25,
      Submission: listener.Submission.Port || 587,
      IMAP: listener.IMAP.Port || 143,
      POP3: listener.POP3.Port || 110,
      ManageSieve: listener.ManageSieve.Port || 4190,
      Web:
        [listener.WebmailHTTP, listener.AccountHTTP, listener.AdminHTTP, listener.WebAPIHTTP].find((
          s,
        ) => s.Enabled)?.Port ||
        80,
    },
  };
}
