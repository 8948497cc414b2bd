/**
 * Passing a message on to the node of its recipients while its sender waits: LMTP (RFC 2033) with the client's
 * address and TLS, so that the recipients' node judges as if the client had come to it.
 *
 * @module
 */
import type { SocketConnection } from "../net/mod.ts";
import { noExtensions } from "../smtp/client/extensions.ts";
import {
  type Envelope,
  type EnvelopeRecipient,
  type Extensions,
  mailCommand,
  maxReplyLine,
  rcptCommand,
  type Reply,
  ReplyParser,
  replyText,
  xtext,
} from "../smtp/client/mod.ts";
import type { NodeKey } from "./key.ts";
import { connectNode, NodeAway, type NodePlace } from "./link.ts";

/** Whom a node speaks for. */
export interface PassedClient {
  remoteIp: string;
  remotePort: number;
  localIp: string;
  localPort: number;
  /** Its name in EHLO or HELO. */
  hello: string;
  tls: { version: string; cipher: string } | undefined;
}

/** What a node said to a command. */
export interface NodeAnswer {
  code: number;
  /** Without its class, as "1.1". */
  enhanced: string;
  text: string;
}

/** What the nodes' LMTP has, whatever it announces: all of them are this program. */
const extensions: Extensions = {
  ...noExtensions("node"),
  size: 0,
  dsn: true,
};

/** Bytes of a message that are read at a time. */
const pieceSize = 64 * 1024;

/** The bytes of a file. */
async function* pieces(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  for (;;) {
    const piece = new Uint8Array(pieceSize);
    const n = await file.read(piece);
    if (n === null) return;
    yield piece.subarray(0, n);
  }
}

/** Milliseconds for answers: to commands, and to a message, whose sender may be made to wait. */
const commandTimeout = 60_000;
const messageTimeout = 600_000;

function answerOf(reply: Reply): NodeAnswer {
  const text = replyText(reply);
  return { code: reply.code, enhanced: reply.enhanced.slice(2) || "0.0", text };
}

/** One transaction with one node. */
export class PassedTransaction {
  readonly #name: string;
  readonly #conn: SocketConnection;
  readonly #parser = new ReplyParser();
  readonly #utf8: boolean;
  #recipients = 0;

  private constructor(name: string, conn: SocketConnection, utf8: boolean) {
    this.#name = name;
    this.#conn = conn;
    this.#utf8 = utf8;
  }

  /**
   * Begins it, up to the answer to MAIL.
   * @param envelope its recipients don't count
   * @throws NodeAway; an answer that refuses, as NodeRefusal
   */
  static async begin(
    key: NodeKey,
    name: string,
    place: NodePlace,
    client: PassedClient,
    envelope: Envelope,
  ): Promise<PassedTransaction> {
    const conn = await connectNode(key, name, place, "lmtp");
    const t = new PassedTransaction(name, conn, envelope.smtpUtf8);
    try {
      conn.readTimeout = commandTimeout;
      t.#expect(await t.#read());
      const tls = client.tls === undefined
        ? "[UNAVAILABLE]"
        : xtext(`${client.tls.version}/${client.tls.cipher}`);
      const ends = `ADDR=${client.remoteIp} PORT=${client.remotePort} DESTADDR=${client.localIp} ` +
        `DESTPORT=${client.localPort}`;
      await t.#command(`XCLIENT ${ends} TLS=${tls}`);
      await t.#command(`LHLO ${client.hello}`);
      await t.#command(mailCommand(envelope, extensions));
      return t;
    } catch (err) {
      conn.destroy();
      throw err;
    }
  }

  /** @throws NodeAway, NodeRefusal */
  async recipient(recipient: EnvelopeRecipient): Promise<void> {
    await this.#command(rcptCommand(recipient, this.#utf8, extensions));
    this.#recipients++;
  }

  /**
   * Sends the message.
   * @param prefix bytes before those of the file
   * @returns an answer for each recipient, in their order; what it doesn't answer any more is 451
   */
  async message(
    file: string,
    size: number,
    prefix: Uint8Array = new Uint8Array(0),
  ): Promise<NodeAnswer[]> {
    const answers: NodeAnswer[] = [];
    try {
      this.#conn.write(`BDAT ${prefix.length + size} LAST\r\n`);
      if (prefix.length > 0) this.#conn.write(prefix);
      for await (const piece of pieces(file)) {
        this.#conn.write(piece);
        await this.#conn.flush();
      }
      await this.#conn.flush();
      this.#conn.readTimeout = messageTimeout;
      while (answers.length < this.#recipients) answers.push(answerOf(await this.#read()));
    } catch (err) {
      this.#conn.destroy();
      const away = new NodeAway(this.#name, err);
      while (answers.length < this.#recipients) {
        answers.push({ code: 451, enhanced: "4.2", text: away.message });
      }
    }
    return answers;
  }

  /** Ends the connection; what was not sent is forgotten there. Never throws. */
  async close(): Promise<void> {
    await this.#conn.close();
  }

  async #command(line: string): Promise<void> {
    try {
      this.#conn.write(`${line}\r\n`);
      await this.#conn.flush();
    } catch (err) {
      throw new NodeAway(this.#name, err);
    }
    this.#expect(await this.#read());
  }

  #expect(reply: Reply): void {
    if (reply.code >= 400) throw new NodeRefusal(answerOf(reply));
  }

  async #read(): Promise<Reply> {
    try {
      for (;;) {
        const reply = this.#parser.push(await this.#conn.readLine(maxReplyLine));
        if (reply !== undefined) return reply;
      }
    } catch (err) {
      throw new NodeAway(this.#name, err);
    }
  }
}

/** A node's answer that refuses a command. */
export class NodeRefusal extends Error {
  readonly answer: NodeAnswer;
  constructor(answer: NodeAnswer) {
    super(answer.text);
    this.name = "NodeRefusal";
    this.answer = answer;
  }
}
