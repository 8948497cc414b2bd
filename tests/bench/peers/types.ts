/** A mail server that runs for a benchmark: this one or a peer. */
export interface Peer {
  name: string;
  smtpPort: number;
  imapPort: number;
  user: string;
  password: string;
  /** Address to which the SMTP load is sent; lands in the user's INBOX. */
  recipient: string;
  stop(): Promise<void>;
}

/** A TCP port of loopback that is free now. */
export function freePort(): number {
  const l = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (l.addr as Deno.NetAddr).port;
  l.close();
  return port;
}

/** Resolves when something answers on the port; rejects after the given milliseconds. */
export async function waitForPort(port: number, timeout = 15_000): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((r) => setTimeout(r, 50));
    }
  }
}
