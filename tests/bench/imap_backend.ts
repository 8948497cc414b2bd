/** An IMAP server of one account for benchmarks, in their own process: any password logs in to it. @module */
import { type ImapBackend, serveImap } from "../../src/imap/server/mod.ts";
import type { Log } from "../../src/log/mod.ts";
import { LoginGuard, serveTcp } from "../../src/net/mod.ts";
import type { Account } from "../../src/store/account/account.ts";

/** Listens on a port of loopback, with plaintext logins. */
export function serveBenchImap(
  { log, tempDir, account }: { log: Log; tempDir: string; account: () => Promise<Account> },
): ReturnType<typeof serveTcp> {
  const backend = {
    hostname: "mox.example",
    log,
    tempDir,
    maxMessageSize: 1e8,
    plaintextLogin: true,
    tls: undefined,
    sasl: {
      checkPassword: () => Promise.resolve("password"),
      scramCredentials: () => Promise.resolve(undefined),
      cramMd5Credentials: () => Promise.resolve(undefined),
    },
    loginGuard: new LoginGuard(),
    accountForLogin: account,
  } satisfies ImapBackend;
  return serveTcp(
    { hostname: "127.0.0.1", port: 0, log, protocol: "imap", pkg: "imapserver" },
    (conn) => serveImap(conn, backend),
  );
}
