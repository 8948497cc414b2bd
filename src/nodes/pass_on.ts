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
import { type KeptLink, KeptLinks } from "./kept_links.ts";
import { NodeAway, type NodePlace } from "./link.ts";

/** The client that a node acts for. */
export interface PassedClient {
  remoteIp: string;
  remotePort: number;
  localIp: string;
  localPort: number;
  /** Its name in EHLO or HELO. */
  hello: string;
  tls: { version: string; cipher: string } | undefined;
}

/** A node's answer to a command. */
export interface NodeAnswer {
  code: number;
  /** Without its class, as "1.1". */
  enhanced: string;
  text: string;
  /** The node gave no answer: the connection was lost, and it may have the message or not. */
  away?: true;
}

/** What the nodes' LMTP supports, whatever it announces: all of them run this program. */
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
const defaultKeptTimeout = 5_000;
/** Milliseconds for the answer to QUIT, and the code of that answer. */
const quitTimeout = 10_000;
const goodbye = 221;
/** What an LMTP server sends when it closes the connection (RFC 5321 §3.8). */
const closing = 421;

/**
 * Connections for messages to other nodes. Each carries one LMTP session after another: a session is for one
 * client, and QUIT ends the session only.
 */
export class MailLinks extends KeptLinks {
  /** Milliseconds for the first answer on a connection that was kept; then it counts as dead. */
  readonly keptTimeout: number;

  /** @param times for tests; see {@link KeptLinks} */
  constructor(key: NodeKey, times: { idle?: number; kept?: number } = {}) {
    super(key, "lmtp", maxReplyLine, times.idle);
    this.keptTimeout = times.kept ?? defaultKeptTimeout;
  }
}

function answerOf(reply: Reply): NodeAnswer {
  const text = replyText(reply);
  return { code: reply.code, enhanced: reply.enhanced.slice(2) || "0.0", text };
}

/** One transaction with one node. */
export class PassedTransaction {
  readonly #links: MailLinks;
  readonly #name: string;
  readonly #place: NodePlace;
  readonly #conn: SocketConnection;
  readonly #parser = new ReplyParser();
  readonly #utf8: boolean;
  /** The first line, until it has been read. */
  #next: Promise<Uint8Array> | undefined;
  #recipients = 0;
  /** It is no longer known what comes next on the connection, or nothing will. */
  #broken = false;

  private constructor(
    links: MailLinks,
    name: string,
    place: NodePlace,
    link: KeptLink,
    utf8: boolean,
  ) {
    this.#links = links;
    this.#name = name;
    this.#place = place;
    this.#conn = link.conn;
    this.#next = link.next;
    this.#utf8 = utf8;
  }

  /**
   * Begins it, up to the answer to MAIL. A connection that was kept may be dead: then it begins again on a new
   * one, as nothing of a message has been sent. Later failures are not retried here.
   * @param envelope its recipients don't count
   * @throws NodeAway; an answer that refuses, as NodeRefusal
   */
  static async begin(
    links: MailLinks,
    name: string,
    place: NodePlace,
    client: PassedClient,
    envelope: Envelope,
  ): Promise<PassedTransaction> {
    const on = async (link: KeptLink, firstTimeout: number) => {
      const t = new PassedTransaction(links, name, place, link, envelope.smtpUtf8);
      await t.#begin(client, envelope, firstTimeout);
      return t;
    };
    const kept = links.take(name, place);
    if (kept !== undefined) {
      try {
        return await on(kept, links.keptTimeout);
      } catch (err) {
        if (!(err instanceof NodeAway)) throw err;
      }
    }
    return await on(await links.make(name, place), commandTimeout);
  }

  async #begin(client: PassedClient, envelope: Envelope, firstTimeout: number): Promise<void> {
    const tls = client.tls === undefined
      ? "[UNAVAILABLE]"
      : xtext(`${client.tls.version}/${client.tls.cipher}`);
    const ends = `ADDR=${client.remoteIp} PORT=${client.remotePort} DESTADDR=${client.localIp} ` +
      `DESTPORT=${client.localPort}`;
    // Nothing more is sent before the greeting: the other side is this program too, which reads line by line.
    const commands = [
      `XCLIENT ${ends} TLS=${tls}`,
      `LHLO ${client.hello}`,
      mailCommand(envelope, extensions),
    ];
    const timer = setTimeout(() => this.#conn.destroy(), firstTimeout);
    try {
      await this.#send(commands.map((c) => `${c}\r\n`).join(""));
      this.#expect(await this.#read());
      clearTimeout(timer);
      this.#conn.readTimeout = commandTimeout;
      for (const _ of commands) this.#expect(await this.#read());
    } catch (err) {
      this.#break();
      throw err;
    } finally {
      clearTimeout(timer);
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
   * @returns an answer for each recipient, in their order; 451 for those that it no longer answers
   */
  async message(
    file: string,
    size: number,
    prefix: Uint8Array = new Uint8Array(0),
  ): Promise<NodeAnswer[]> {
    const answers: NodeAnswer[] = [];
    try {
      // An answer still outstanding would be taken for the answer to the message.
      if (this.#broken) throw new Error("the connection has failed");
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
      this.#break();
      const away = err instanceof NodeAway ? err : new NodeAway(this.#name, err);
      while (answers.length < this.#recipients) {
        answers.push({ code: 451, enhanced: "4.2", text: away.message, away: true });
      }
    }
    return answers;
  }

  /**
   * Ends the transaction; the other node discards what was not sent completely. The connection is kept if it
   * can be used again.
   */
  close(): void {
    if (this.#broken) return;
    this.#broken = true;
    void this.#release();
  }

  async #release(): Promise<void> {
    try {
      this.#conn.readTimeout = quitTimeout;
      await this.#send("QUIT\r\n");
      if ((await this.#read()).code === goodbye) {
        return this.#links.keep(this.#name, this.#place, this.#conn);
      }
    } catch {
      // The connection is useless now, and nobody waits for it.
    }
    this.#conn.destroy();
  }

  #break(): void {
    this.#broken = true;
    this.#conn.destroy();
  }

  async #command(line: string): Promise<void> {
    try {
      await this.#send(`${line}\r\n`);
      this.#expect(await this.#read());
    } catch (err) {
      if (!(err instanceof NodeRefusal) || err.answer.code === closing) this.#break();
      throw err;
    }
  }

  #expect(reply: Reply): void {
    if (reply.code >= 400) throw new NodeRefusal(answerOf(reply));
  }

  async #send(text: string): Promise<void> {
    try {
      this.#conn.write(text);
      await this.#conn.flush();
    } catch (err) {
      throw new NodeAway(this.#name, err);
    }
  }

  async #read(): Promise<Reply> {
    try {
      for (;;) {
        const line = this.#next ?? this.#conn.readLine(maxReplyLine);
        this.#next = undefined;
        const reply = this.#parser.push(await line);
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
