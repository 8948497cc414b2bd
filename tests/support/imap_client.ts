/** An IMAP client that others wrote, on a localserve. */
import { ImapFlow } from "imapflow";
import type { Ports } from "./localserve.ts";

/** The account that every localserve has. */
export const login = { user: "mox@localhost", pass: "moxmoxmox" };

/** A client with TLS, not connected yet. */
export function imapClient(s: Ports, auth = login): ImapFlow {
  return new ImapFlow({
    host: "127.0.0.1",
    port: s.imaps,
    secure: true,
    auth,
    tls: { rejectUnauthorized: false },
    logger: false,
  });
}

/** A client that has logged in; the caller logs it out. */
export async function loggedIn(s: Ports): Promise<ImapFlow> {
  const c = imapClient(s);
  await c.connect();
  return c;
}
