/** A client of ManageSieve, and a server for it. */
import assert from "node:assert/strict";
import { Authorities, type Connection, connectTcp } from "../../src/net/mod.ts";
import { freePorts } from "../serve/instance.ts";
import { type Receiver, startReceiver } from "../serve/receiver.ts";
import { certificate } from "../smtp/talk.ts";

const text = (b: Uint8Array) => new TextDecoder().decode(b);

/** A client; answers are read to their last line. */
export class Client {
  readonly conn: Connection;
  constructor(conn: Connection) {
    this.conn = conn;
  }

  static async connect(port: number): Promise<Client> {
    const c = new Client(await connectTcp({ host: "127.0.0.1", port, readTimeout: 10_000 }));
    await c.answer();
    return c;
  }

  async send(data: string | Uint8Array): Promise<void> {
    this.conn.write(data);
    await this.conn.flush();
  }

  /** Lines up to OK, NO or BYE; literals in place of their header. */
  async answer(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      let line = text(await this.conn.readLine(100_000));
      const m = /\{(\d+)\}$/.exec(line);
      if (m) {
        let literal = "";
        while (literal.length < Number(m[1])) {
          literal += text(await this.conn.readSome(Number(m[1]) - literal.length));
        }
        line = line.slice(0, m.index) + literal + text(await this.conn.readLine(100_000));
      }
      lines.push(line);
      if (/^(?:OK|NO|BYE)\b/.test(line)) return lines;
    }
  }

  async run(command: string): Promise<string> {
    await this.send(`${command}\r\n`);
    return (await this.answer()).join("\n");
  }

  async startTls(): Promise<string[]> {
    assert.match(await this.run("STARTTLS"), /^OK/);
    await this.conn.startTlsClient({
      serverName: "mail.example",
      verify: true,
      authorities: Authorities.of(certificate.cert),
    });
    return await this.answer();
  }

  async logIn(): Promise<void> {
    await this.startTls();
    const token = btoa("\0cas@ours.example\0correct horse battery");
    assert.match(await this.run(`AUTHENTICATE "PLAIN" "${token}"`), /^OK "logged in"$/);
  }
}

/** Runs with a server that has the account cas. */
export async function withServer(
  fn: (connect: () => Promise<Client>, r: Receiver) => Promise<void>,
): Promise<void> {
  const [port] = await freePorts(1);
  await using r = await startReceiver({
    smtp: `\t\tManageSieve:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n`,
  });
  await r.account("cas", (a) => a.credentials.setPassword("correct horse battery"));
  const clients: Client[] = [];
  try {
    await fn(async () => {
      const c = await Client.connect(port);
      clients.push(c);
      return c;
    }, r);
  } finally {
    for (const c of clients) await c.conn.close();
  }
}
