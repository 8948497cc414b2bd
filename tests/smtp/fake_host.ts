/** An SMTP host that takes mail and misbehaves as a test asks. */
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  ConnectionError,
  type KeyCert,
  serveTcp,
  type SocketConnection,
  type TcpServer,
} from "../../src/net/mod.ts";

setLevel("fakehost", "error");

/** A mail as the host got it. */
export interface FakeMail {
  from: string;
  to: string[];
  /** As sent, with CRLF and dots undone. */
  data: string;
  tls: boolean;
  /** Name that the client asked for by SNI. */
  serverName: string | undefined;
  /** Number of the connection, from 1. */
  connection: number;
}

/**
 * The answer to a command: a reply (lines without CRLF), "drop" to hang up, "hang" to stay silent; to a
 * message also "lose", to hang up and to have kept nothing of it.
 */
export type Answer = string | undefined;
type Hook = (line: string, n: number) => Answer | Promise<Answer>;

/** What the host does other than take everything; a hook that gives nothing leaves the default. */
export interface FakeOptions {
  /** Address, 127.0.0.1 if not given, and port, any free one. */
  address?: string;
  port?: number;
  /** Lines of EHLO after the name. */
  extensions?: string[];
  certificate?: KeyCert;
  /** LMTP (RFC 2033) in place of SMTP: `stored` is asked for each recipient of a message that has arrived. */
  lmtp?: boolean;
  stored?: (to: string, n: number) => Answer;
  implicitTls?: boolean;
  greeting?: Hook;
  ehlo?: Hook;
  helo?: Hook;
  starttls?: Hook;
  auth?: (conn: SocketConnection, line: string) => Promise<Answer>;
  mail?: Hook;
  rcpt?: Hook;
  data?: Hook;
  /** Called with the message when it has arrived. */
  message?: Hook;
  quit?: Hook;
  /** Called when a piece of the message has arrived, to drop in the middle. */
  during?: (bytes: number) => Answer;
}

export interface FakeHost extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  readonly mails: FakeMail[];
  /** All commands in order; connections are separated by "-- n". */
  readonly commands: string[];
  /** Connections that were made. */
  readonly connections: number;
  options: FakeOptions;
}

/** Starts the host. */
export async function fakeHost(options: FakeOptions = {}): Promise<FakeHost> {
  const mails: FakeMail[] = [];
  const commands: string[] = [];
  let connections = 0;
  const tls = (c: KeyCert) => ({ certificateFor: () => c });
  const server: TcpServer = await serveTcp(
    {
      hostname: options.address ?? "127.0.0.1",
      port: options.port ?? 0,
      log: new Log("fakehost"),
      protocol: "smtp",
      pkg: "smtpserver",
      tls: options.implicitTls ? tls(options.certificate!) : undefined,
    },
    async (conn) => {
      const n = ++connections;
      commands.push(`-- ${n}`);
      try {
        await serve(conn, n);
      } catch (err) {
        if (!(err instanceof ConnectionError) && !(err instanceof Dropped)) throw err;
        // What was answered before goes out first.
        await new Promise((r) => setTimeout(r, 10));
        conn.destroy();
      }
    },
  );

  async function serve(conn: SocketConnection, n: number): Promise<void> {
    const o = host.options;
    let secure = o.implicitTls === true;
    let from: string | undefined;
    let to: string[] = [];
    const say = async (answer: Answer, flush = true): Promise<string> => {
      if (answer === "drop" || answer === "lose") throw new Dropped();
      if (answer === "hang") {
        conn.readTimeout = 60_000;
        for (;;) await conn.readSome(1000);
      }
      conn.write(`${answer!.replaceAll("\n", "\r\n")}\r\n`);
      if (flush) await conn.flush();
      return answer!;
    };
    const answer = async (hook: Hook | undefined, line: string, otherwise: string, flush = true) =>
      await say(await hook?.(line, n) ?? otherwise, flush);

    await answer(o.greeting, "", "220 fake.example ESMTP");
    for (;;) {
      const line = new TextDecoder().decode(await conn.readLine(100_000));
      commands.push(line);
      const verb = line.split(" ")[0].toUpperCase();
      switch (verb) {
        case "LHLO":
        case "EHLO": {
          if (o.lmtp !== (verb === "LHLO" ? true : undefined)) {
            await say("500 5.5.1 what?");
            break;
          }
          const list = ["fake.example", ...o.extensions ?? ["PIPELINING", "8BITMIME"]];
          if (o.certificate && !secure) list.push("STARTTLS");
          const text = list.map((l, i) => `250${i === list.length - 1 ? " " : "-"}${l}`).join("\n");
          await answer(o.ehlo, line, text);
          break;
        }
        case "HELO":
          await answer(o.helo, line, "250 fake.example");
          break;
        case "STARTTLS": {
          // Sent by startTlsServer: the client may begin its handshake as soon as it has the answer.
          const reply = await answer(o.starttls, line, o.certificate ? "220 go" : "502 no", false);
          if (!reply.startsWith("220")) {
            await conn.flush();
            break;
          }
          await conn.startTlsServer(tls(o.certificate!));
          secure = true;
          break;
        }
        case "AUTH":
          await say(await o.auth?.(conn, line) ?? "502 5.5.1 no");
          break;
        case "MAIL":
          if ((await answer(o.mail, line, "250 2.1.0 ok"))[0] === "2") {
            from = address(line);
            to = [];
          }
          break;
        case "RCPT":
          if (from === undefined) await say("503 5.5.1 MAIL first");
          else if ((await answer(o.rcpt, line, "250 2.1.5 ok"))[0] === "2") to.push(address(line));
          break;
        case "DATA": {
          if (to.length === 0) {
            await say("554 5.5.1 no recipients");
            break;
          }
          if ((await answer(o.data, line, "354 go on"))[0] !== "3") break;
          const data = await message(conn, o, say);
          await finish(data);
          break;
        }
        case "BDAT": {
          const size = Number(line.split(" ")[1]);
          let data = "";
          while (data.length < size) {
            data += latin1(await conn.readSome(size - data.length));
          }
          await finish(data);
          break;
        }
        case "RSET":
          from = undefined;
          to = [];
          await say("250 2.0.0 ok");
          break;
        case "QUIT":
          await answer(o.quit, line, "221 2.0.0 bye");
          await conn.close();
          return;
        default:
          await say("502 5.5.1 what?");
      }
    }

    async function finish(data: string): Promise<void> {
      if (o.lmtp) return await finishEach(data);
      const mail = {
        from: from!,
        to,
        data,
        tls: secure,
        serverName: conn.tls?.serverName,
        connection: n,
      };
      const reply = await o.message?.(data, n) ?? "250 2.0.0 queued";
      // What is taken is taken even if the answer gets lost: the host drops after it has stored.
      if (reply.startsWith("2") || reply === "drop") mails.push(mail);
      from = undefined;
      to = [];
      await say(reply);
    }

    async function finishEach(data: string): Promise<void> {
      const mail: FakeMail = {
        from: from!,
        to: [],
        data,
        tls: secure,
        serverName: conn.tls?.serverName,
        connection: n,
      };
      const recipients = to;
      from = undefined;
      to = [];
      for (const recipient of recipients) {
        const reply = o.stored?.(recipient, n) ?? "250 2.1.5 stored";
        if (reply.startsWith("2") && mail.to.push(recipient) === 1) mails.push(mail);
        await say(reply);
      }
    }
  }

  const host: FakeHost = {
    port: server.port,
    address: options.address ?? "127.0.0.1",
    mails,
    commands,
    get connections() {
      return connections;
    },
    options,
    async [Symbol.asyncDispose]() {
      await server.shutdown(0);
    },
  };
  return host;
}

class Dropped extends Error {}

function address(line: string): string {
  return line.slice(line.indexOf("<") + 1, line.lastIndexOf(">"));
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => String.fromCharCode(b)).join("");
}

async function message(
  conn: SocketConnection,
  o: FakeOptions,
  say: (a: Answer) => Promise<string>,
): Promise<string> {
  let data = "";
  for (;;) {
    const line = await conn.readLine(100_000);
    // Only this ends a message; a bare line feed would be seen in the data.
    if (line.length === 1 && line[0] === 46 && !conn.lastLineBareLf) return data;
    const text = latin1(line);
    data += (text.startsWith(".") ? text.slice(1) : text) + (conn.lastLineBareLf ? "\n" : "\r\n");
    const during = o.during?.(data.length);
    if (during !== undefined) {
      await say(during);
      throw new Dropped();
    }
  }
}
