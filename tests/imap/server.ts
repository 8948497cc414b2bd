/**
 * An IMAP server over a new data folder on a free port, and a client that reads like a transcript.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type ImapBackend, serveImap } from "../../src/imap/server/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { LoginGuard, serveTcp } from "../../src/net/mod.ts";
import type { KeyCert } from "../../src/net/types.ts";
import type { Account } from "../../src/store/account/account.ts";
import { consistency } from "../../src/store/account/account.ts";
import { Shares } from "../../src/store/mailboxes/shares.ts";
import { Accounts } from "../../src/store/account/accounts.ts";

export const login = "mjl@mox.example";
export const password = "correct horse battery";

export interface TestServer {
  port: number;
  account: Account;
  accounts: Accounts;
  dir: string;
  /** A client that is logged in, by default as mjl. */
  client(options?: { loggedIn?: boolean; as?: string }): Promise<Client>;
  stop(): Promise<void>;
}

export async function startServer(
  options: {
    keyCert?: KeyCert;
    plaintextLogin?: boolean;
    maxMessageSize?: number;
    quota?: number;
    quotaMessages?: number;
    quotaMailboxes?: number;
    timeouts?: { beforeLogin: number; afterLogin: number };
    progressInterval?: number;
    pedantic?: boolean;
    log?: Log;
    /** Whom a TLS client certificate stands for. */
    certificateUsername?: (certificate: Uint8Array) => string | undefined;
    /** Further accounts, `name@mox.example`, with the same password, and sharing between all. */
    others?: string[];
    /** Messages are \Recent as in the program. Without it all of them were shown to a session before, so none is. */
    recent?: boolean;
  } = {},
): Promise<TestServer> {
  consistency.checkAtClose = true;
  const dir = await Deno.makeTempDir({ prefix: "imap" });
  const log = options.log ?? new Log("imapserver");
  const accounts = new Accounts(join(dir, "accounts"), log, () => ({
    initialMailboxes: () => [
      { name: "Archive", specialUse: 1 },
      { name: "Drafts", specialUse: 2 },
      { name: "Junk", specialUse: 4 },
      { name: "Sent", specialUse: 8 },
      { name: "Trash", specialUse: 16 },
    ],
    quotaMessageSize: () => options.quota,
    quotaMessages: () => options.quotaMessages,
    quotaMailboxes: () => options.quotaMailboxes,
    junkFlags: () => undefined,
  }));
  const account = await accounts.open("mjl");
  await account.credentials.setPassword(password);
  const { keyCert, others = [] } = options;
  const opened = new Map([["mjl", account]]);
  for (const name of others) {
    const other = await accounts.open(name);
    await other.credentials.setPassword(password);
    opened.set(name, other);
  }
  for (const a of options.recent ? [] : opened.values()) a.recent.from = () => Infinity;
  const shares = others.length > 0 ? await Shares.open(dir) : undefined;
  const accountNamed = (name: string) => {
    const [local] = name.split("@mox.example");
    return opened.has(local) ? local : undefined;
  };
  const credentialsOf = (name: string) =>
    name.includes("@") ? opened.get(accountNamed(name) ?? "")?.credentials : undefined;
  const backend: ImapBackend = {
    hostname: "mox.example",
    timeouts: options.timeouts,
    progressInterval: options.progressInterval,
    pedantic: options.pedantic,
    log,
    tempDir: dir,
    maxMessageSize: options.maxMessageSize ?? 20 * 1024 * 1024,
    plaintextLogin: options.plaintextLogin ?? true,
    tls: keyCert && {
      certificateFor: () => keyCert,
      requestClientCertificate: options.certificateUsername !== undefined,
    },
    sasl: {
      checkPassword: async (name, p) =>
        await credentialsOf(name)?.verifyPassword(p) ? "password" : undefined,
      scramCredentials: (name, mechanism) => Promise.resolve(credentialsOf(name)?.scram(mechanism)),
      cramMd5Credentials: (name) => Promise.resolve(credentialsOf(name)?.cramMd5()),
      certificateUsername: options.certificateUsername &&
        ((certificate) => {
          const username = options.certificateUsername!(certificate);
          return Promise.resolve(
            username === undefined ? undefined : { username, credential: "certificate" },
          );
        }),
    },
    loginGuard: new LoginGuard({ exemptLoopback: true }),
    accountForLogin(name) {
      const of = accountNamed(name);
      return of === undefined ? Promise.resolve(undefined) : accounts.open(of);
    },
    sharing: shares && {
      owners: (user) => shares.owners(user),
      granting: (owner, identifier) => shares.add(owner, identifier),
      accountNamed,
      open: (name) => accounts.open(name),
    },
  };
  const server = await serveTcp(
    { hostname: "127.0.0.1", port: 0, log, protocol: "imap", pkg: "imapserver" },
    (conn) => serveImap(conn, backend),
  );
  const clients: Client[] = [];
  return {
    port: server.port,
    account,
    accounts,
    dir,
    async client(o = {}) {
      const c = await Client.connect(server.port);
      clients.push(c);
      assert.match(
        await c.line(),
        /^\* OK \[CAPABILITY IMAP4rev2 IMAP4rev1 .*\] mox\.example ready$/,
      );
      if (o.loggedIn !== false) {
        const user = o.as === undefined ? login : `${o.as}@mox.example`;
        assert.match(await c.done(`LOGIN ${user} "${password}"`), /^OK \[CAPABILITY /);
      }
      return c;
    },
    async stop() {
      for (const c of clients) c.close();
      await server.shutdown(2000);
      for (const a of opened.values()) a.close();
      await shares?.close();
      await accounts.closeAll();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** A client of raw lines. */
export class Client {
  readonly socket: Socket;
  #data = "";
  #ended = false;
  #wake: (() => void) | undefined;
  #tag = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (d: string) => {
      this.#data += d;
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end);
    socket.on("error", end);
    socket.on("close", end);
  }

  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Client(socket)));
      socket.once("error", reject);
    });
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
    return true;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** The next line with its literals, without its end; "" when the server has closed. */
  async line(): Promise<string> {
    let from = 0;
    for (;;) {
      const end = this.#data.indexOf("\r\n", from);
      if (end < 0) {
        if (!await this.#more()) return "";
        continue;
      }
      const literal = /\{(\d+)\}$/.exec(this.#data.slice(from, end));
      if (literal && !this.#data.startsWith("+")) {
        const need = end + 2 + Number(literal[1]);
        while (this.#data.length < need) if (!await this.#more()) return "";
        from = need;
        continue;
      }
      const line = this.#data.slice(0, end);
      this.#data = this.#data.slice(end + 2);
      return line;
    }
  }

  /** Sends a command and reads to its tagged answer; lines, the last one without the tag. */
  async run(command: string): Promise<string[]> {
    const tag = `x${++this.#tag}`;
    this.send(`${tag} ${command}\r\n`);
    return await this.answer(tag);
  }

  async answer(tag = `x${this.#tag}`): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const l = await this.line();
      if (l === "") return [...lines, "(closed)"];
      if (l.startsWith(`${tag} `)) return [...lines, l.slice(tag.length + 1)];
      lines.push(l);
    }
  }

  /** The tagged answer of a command. */
  async done(command: string): Promise<string> {
    return (await this.run(command)).at(-1)!;
  }

  /** Runs a command, requires OK, and gives the untagged lines. */
  async ok(command: string): Promise<string[]> {
    const lines = await this.run(command);
    const last = lines.pop()!;
    assert.match(last, /^OK/, `${command}: ${last}`);
    return lines;
  }

  async append(mailbox: string, message: string, args = ""): Promise<string> {
    const lines = await this.run(`APPEND ${mailbox} ${args}{${message.length}+}\r\n${message}`);
    return lines.at(-1)!;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A small message. */
export function message(subject: string, body = "hello\r\n", headers = ""): string {
  return `From: Ann <ann@example.org>\r\nTo: mjl@mox.example\r\nSubject: ${subject}\r\n` +
    `Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-Id: <${
      encodeURIComponent(subject)
    }@example.org>\r\n` +
    `${headers}\r\n${body}`;
}
