/** A scripted SMTP client and a recording backend, so that tests read like transcripts. */
import assert from "node:assert/strict";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  Authorities,
  connectTcp,
  type KeyCert,
  selfSignedCertificate,
  type SocketConnection,
  type TcpServer,
} from "../../src/net/mod.ts";
import {
  decodeCredentials,
  deriveCredentials,
  encodeCredentials,
  type SaslBackend,
} from "../../src/sasl/mod.ts";
import {
  addressText,
  type IncomingMessage,
  type Outcome,
  serveSmtp,
  type SmtpBackend,
  SmtpError,
  type SmtpListenOptions,
  type SmtpSession,
  type Transaction,
} from "../../src/smtp/server/mod.ts";

// What goes wrong on purpose shall not fill the output of the tests.
setLevel("smtpserver", "error");

export const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
export const text = (b: Uint8Array): string => new TextDecoder().decode(b);

/** A message as the backend got it. */
export interface Delivery {
  from: string;
  to: string[];
  transaction: Transaction;
  content: Uint8Array;
  message: IncomingMessage;
  received: string;
  returnPath: string;
  username: string | undefined;
}

/** What a test server has seen. */
export interface Seen {
  deliveries: Delivery[];
  failures: { to: string; code: number }[];
  disconnected: number;
}

/** Accounts of the test server. */
export const account = { name: "mjl@mox.example", password: "te\u00a0st1234" };
const credentials = decodeCredentials(encodeCredentials(await deriveCredentials(account.password)));

/** The test server's SASL backend: one account. */
export const sasl: SaslBackend = {
  checkPassword: (u, p) =>
    Promise.resolve(u === account.name && p === "te st1234" ? "password" : undefined),
  scramCredentials: (u, m) =>
    Promise.resolve(
      u !== account.name
        ? undefined
        : m === "SCRAM-SHA-1"
        ? credentials.scramSha1
        : credentials.scramSha256,
    ),
  cramMd5Credentials: (u) => Promise.resolve(u === account.name ? credentials.cramMd5 : undefined),
};

/** Certificate of the test servers, for "mail.example". */
export const certificate: KeyCert = await selfSignedCertificate({
  names: ["mail.example", "localhost", "127.0.0.1"],
});
export const tls = { certificateFor: () => certificate };

/**
 * A backend that takes everything, but for recipients: `unknown@` gives 550 at RCPT, `later@` 451;
 * `refused@` 550 and `deferred@` 451 after the message; `crash@` an unhandled error.
 */
export function recordingBackend(): SmtpBackend & { seen: Seen } {
  const seen: Seen = { deliveries: [], failures: [], disconnected: 0 };
  return {
    seen,
    sasl,
    checkRecipient(_s: SmtpSession, _t, { address }) {
      if (address.localpart === "unknown") throw new SmtpError(550, "1.1", "no such user");
      if (address.localpart === "later") throw new SmtpError(451, "2.1", "try later");
      if (address.localpart === "crash") throw new TypeError("backend is broken");
      return Promise.resolve(`handle of ${addressText(address)}`);
    },
    async deliver(session, transaction, message) {
      const content = await Deno.readFile(message.file);
      assert.equal(content.length, message.size);
      seen.deliveries.push({
        from: transaction.mailFrom === undefined ? "" : addressText(transaction.mailFrom),
        to: transaction.recipients.map((r) => addressText(r.address)),
        transaction,
        content,
        message,
        received: message.receivedHeader(transaction.recipients[0].address),
        returnPath: message.returnPathHeader(),
        username: session.username,
      });
      const outcomes: Outcome[] = transaction.recipients.map(({ address }) => {
        if (address.localpart === "refused") return new SmtpError(550, "7.1", "not wanted");
        if (address.localpart === "deferred") return new SmtpError(451, "7.1", "not now");
        return undefined;
      });
      return { outcomes };
    },
    failed(_s, _t, _m, failures) {
      for (const { recipient, error } of failures) {
        seen.failures.push({ to: addressText(recipient.address), code: error.code });
      }
      return Promise.resolve();
    },
    disconnected() {
      seen.disconnected++;
      return Promise.resolve();
    },
  };
}

/** A running test server. */
export interface TestServer extends AsyncDisposable {
  server: TcpServer;
  port: number;
  seen: Seen;
  tmpDir: string;
  /** Names in the folder of temporary files. */
  leftovers(): string[];
  dial(): Promise<Client>;
}

/** Starts a server on a free port; dispose stops it and checks that it left no file behind. */
export async function startServer(
  options: Partial<SmtpListenOptions> & { backend?: SmtpBackend & { seen?: Seen } } = {},
): Promise<TestServer> {
  const tmpDir = await Deno.makeTempDir();
  const backend = options.backend ?? recordingBackend();
  const server = await serveSmtp({
    address: "127.0.0.1",
    port: 0,
    hostname: "mail.example",
    log: new Log("smtpserver"),
    tls,
    tmpDir,
    errorDelay: 0,
    ...options,
    backend,
  });
  const leftovers = () => [...Deno.readDirSync(tmpDir)].map((e) => e.name);
  return {
    server,
    port: server.port,
    seen: (backend as { seen?: Seen }).seen ?? { deliveries: [], failures: [], disconnected: 0 },
    tmpDir,
    leftovers,
    dial: () => dial(server.port, options.implicitTls),
    async [Symbol.asyncDispose]() {
      await server.shutdown(3000);
      const left = leftovers();
      await Deno.remove(tmpDir, { recursive: true });
      assert.deepEqual(left, [], "temporary files were left behind");
    },
  };
}

async function dial(port: number, withTls = false): Promise<Client> {
  const conn = await connectTcp({ host: "127.0.0.1", port, readTimeout: 10_000 });
  const client = new Client(conn);
  if (withTls) await client.startTls();
  return client;
}

/** An answer. */
export interface Reply {
  code: number;
  /** Enhanced status code, "" without. */
  status: string;
  /** Texts of the lines, without codes. */
  lines: string[];
}

/** A client that says what it is told to. */
export class Client implements AsyncDisposable {
  readonly conn: SocketConnection;

  constructor(conn: SocketConnection) {
    this.conn = conn;
  }

  async startTls(): Promise<void> {
    await this.conn.startTlsClient({
      serverName: "mail.example",
      verify: true,
      authorities: Authorities.of(certificate.cert),
    });
  }

  /** Sends bytes as they are. */
  async send(data: string | Uint8Array): Promise<void> {
    this.conn.write(data);
    await this.conn.flush();
  }

  /** Reads one answer. */
  async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = text(await this.conn.readLine(10_000));
      assert.equal(this.conn.lastLineBareLf, false);
      const m = /^([2-5][0-9][0-9])([ -])(?:([245]\.[0-9]{1,3}\.[0-9]{1,3}) )?(.*)$/.exec(line);
      assert.ok(m, `not an answer: ${JSON.stringify(line)}`);
      lines.push(m[4]);
      if (m[2] === " ") return { code: Number(m[1]), status: m[3] ?? "", lines };
    }
  }

  /** Sends a line and checks code and status of the answer, e.g. "250 2.1.0". */
  async command(line: string, expected: string | number): Promise<Reply> {
    await this.send(`${line}\r\n`);
    return await this.expect(expected, line);
  }

  /** Checks the next answer. */
  async expect(expected: string | number, after = "nothing sent"): Promise<Reply> {
    const reply = await this.reply();
    const got = `${reply.code}${reply.status === "" ? "" : ` ${reply.status}`}`;
    const want = String(expected);
    assert.equal(want.includes(" ") ? got : String(reply.code), want, `${after}: ${reply.lines}`);
    return reply;
  }

  /** Nothing more comes: the server has closed. */
  async end(): Promise<void> {
    await assert.rejects(this.conn.readSome(1), /closed/);
  }

  /** Greeting and EHLO. */
  async hello(): Promise<Reply> {
    await this.expect(220);
    return await this.command("EHLO client.example", 250);
  }

  /** A complete conversation: lines "C: ..." are sent, "S: 250 2.1.0" or "S: 250" expected. */
  async transcript(script: string): Promise<void> {
    for (const raw of script.split("\n")) {
      const line = raw.trimStart();
      if (line === "") continue;
      if (line.startsWith("C: ")) await this.send(`${line.slice(3)}\r\n`);
      else if (line === "TLS") await this.startTls();
      else if (line === "END") await this.end();
      else if (line.startsWith("S: ")) await this.expect(line.slice(3).trim(), script);
      else throw new Error(`transcript line not understood: ${line}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.conn.close();
  }
}
