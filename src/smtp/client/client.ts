/** A session with a server: greeting, EHLO, STARTTLS, AUTH, transactions. @module */
import type { Log } from "../../log/mod.ts";
import type { ClientTls, Connection, TlsInfo } from "../../net/mod.ts";
import { clientMechanism, type MechanismName, SaslError } from "../../sasl/mod.ts";
import { Channel, connectionFailure, type Progress, refusal } from "./channel.ts";
import { SmtpClientError } from "./errors.ts";
import { type Extensions, noExtensions, parseExtensions } from "./extensions.ts";
import type { Reply } from "./reply.ts";
import { askRecipient, runTransaction, type TransactionState } from "./transaction.ts";
import {
  defaultTimeouts,
  type Envelope,
  type MessageSource,
  type RecipientOutcome,
  type Timeouts,
} from "./types.ts";

/** How TLS is used. */
export type TlsUse =
  /** Not at all. */
  | "never"
  /** STARTTLS if offered. If it then fails, the session fails: the caller may try again without. */
  | "offered"
  /** STARTTLS, or no session. */
  | "required"
  /** From the first byte on. */
  | "immediate";

/** How a session begins. */
export interface SessionOptions {
  log: Log;
  /** Our name, for EHLO. */
  hostname: string;
  /**
   * The server speaks LMTP (RFC 2033): LHLO, and after the message an answer for each recipient. Default false.
   */
  lmtp?: boolean;
  tls: TlsUse;
  /** Needed unless `tls` is "never". */
  clientTls?: ClientTls;
  auth?: { username: string; password: string; mechanisms?: readonly MechanismName[] };
  timeouts?: Partial<Timeouts>;
  /** See {@link SmtpClient.onProgress}. */
  onProgress?(step: Progress): void;
}

/** A server that is ready for transactions. */
export class SmtpClient {
  readonly #channel: Channel;
  readonly #timeouts: Timeouts;
  readonly #state: TransactionState;
  #extensions: Extensions = noExtensions("");
  #greetingName = "";
  #giveUpTimer: ReturnType<typeof setTimeout> | undefined;
  /** Number of transactions so far. */
  transactions = 0;

  private constructor(connection: Connection, options: SessionOptions) {
    this.#channel = new Channel(connection, options.log);
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#state = { open: false, lmtp: options.lmtp ?? false };
    if (options.onProgress) this.onProgress = options.onProgress;
  }

  /**
   * Begins a session on a fresh connection, which it takes over and closes on failure.
   * @throws SmtpClientError
   */
  static async start(connection: Connection, options: SessionOptions): Promise<SmtpClient> {
    const client = new SmtpClient(connection, options);
    try {
      if (options.tls === "immediate") await client.#handshake(options);
      await client.#greeting();
      await client.#hello(options);
      if (
        options.tls === "required" || (options.tls === "offered" && client.#extensions.starttls)
      ) {
        await client.#startTls(options);
      }
      if (options.auth) await client.#authenticate(options.auth);
      return client;
    } catch (err) {
      const failure = connectionFailure(err, "hello");
      // After a refusal in words, say goodbye; after other failures that is useless.
      if (failure.kind === "reply" && !client.#channel.broken) await client.quit();
      else connection.destroy();
      throw failure;
    }
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  /** The name in the server's greeting. */
  get greetingName(): string {
    return this.#greetingName;
  }

  get tls(): TlsInfo | undefined {
    return this.#channel.connection.tls;
  }

  get connection(): Connection {
    return this.#channel.connection;
  }

  /** Called whenever the server makes progress. */
  set onProgress(fn: (step: Progress) => void) {
    this.#channel.onProgress = fn;
  }

  /** Whether another transaction may be tried. */
  get usable(): boolean {
    const c = this.#channel;
    return !c.broken && !c.connection.closed && !c.connection.ended &&
      // Anything that the server says unasked ends the session.
      c.connection.buffered === 0 && this.transactions < this.#extensions.limits.mailMax;
  }

  async #greeting(): Promise<void> {
    const reply = await this.#channel.read("greeting", this.#timeouts.greeting);
    if (reply.code !== 220) throw refusal(reply, "greeting");
    this.#greetingName = (reply.lines[0] ?? "").split(" ")[0].slice(0, 255);
  }

  async #hello({ hostname, lmtp = false }: SessionOptions): Promise<void> {
    const t = this.#timeouts.hello;
    const verb = lmtp ? "LHLO" : "EHLO";
    const ehlo = await this.#channel.command(`${verb} ${hostname}`, "hello", t);
    if (ehlo.code === 250) {
      this.#extensions = parseExtensions(ehlo.lines);
      return;
    }
    // RFC 2033 §4.1: LMTP has only this greeting.
    if (ehlo.code < 500 || lmtp) throw refusal(ehlo, "hello");
    // RFC 5321 §3.2: a server without extensions.
    const helo = await this.#channel.command(`HELO ${hostname}`, "hello", t);
    if (helo.code !== 250) throw refusal(helo, "hello");
    this.#extensions = noExtensions((helo.lines[0] ?? "").split(" ")[0]);
  }

  async #startTls(options: SessionOptions): Promise<void> {
    if (!this.#extensions.starttls) {
      throw new SmtpClientError({
        kind: "tls",
        phase: "starttls",
        code: 451,
        enhanced: "4.7.4",
        text: "TLS is needed, and the server does not offer STARTTLS",
      });
    }
    let reply: Reply;
    try {
      reply = await this.#channel.command("STARTTLS", "starttls", this.#timeouts.hello);
    } catch (err) {
      // A server that offers TLS but fails when asked for it.
      throw new SmtpClientError({ ...pick(connectionFailure(err, "starttls")), kind: "tls" }, {
        cause: err,
      });
    }
    if (reply.code !== 220) {
      const r = refusal(reply, "starttls");
      throw new SmtpClientError({ ...pick(r), kind: "tls", permanent: false }, { cause: r });
    }
    if (this.#channel.connection.buffered > 0) {
      // RFC 3207 §6: bytes injected after the answer by a third party.
      throw new SmtpClientError({
        kind: "tls",
        phase: "starttls",
        code: 451,
        enhanced: "4.7.5",
        text: "data after the answer to STARTTLS",
      });
    }
    await this.#handshake(options);
    await this.#hello(options);
  }

  async #handshake(options: SessionOptions): Promise<void> {
    if (!options.clientTls) throw new TypeError("TLS without clientTls");
    const connection = this.#channel.connection;
    connection.readTimeout = this.#timeouts.hello;
    try {
      await connection.startTlsClient(options.clientTls);
    } catch (err) {
      const failure = connectionFailure(err, "tls");
      // A server that hangs up or stays silent in a handshake has failed at TLS, not at the network.
      throw new SmtpClientError({ ...pick(failure), kind: "tls", enhanced: "4.7.5" }, {
        cause: err,
      });
    }
  }

  async #authenticate(auth: NonNullable<SessionOptions["auth"]>): Promise<void> {
    const failed = (code: number, enhanced: string, text: string, cause?: unknown) =>
      new SmtpClientError({ kind: "unsupported", phase: "auth", code, enhanced, text }, { cause });
    const mechanism = clientMechanism(this.#extensions.auth, {
      username: auth.username,
      password: auth.password,
      channelBindings: this.tls?.channelBindings ?? new Map(),
      mayShowPassword: this.tls !== undefined,
      wanted: auth.mechanisms,
    });
    if (!mechanism) {
      const offered = this.#extensions.auth.join(" ") || "none";
      throw failed(
        504,
        "5.5.4",
        `no mechanism to log in with in common; the server has ${offered}`,
      );
    }
    const t = this.#timeouts.hello;
    const base64 = (b: Uint8Array) => b.length === 0 ? "=" : b.toBase64();
    const first = mechanism.initial === undefined ? "" : ` ${base64(mechanism.initial)}`;
    const name = `AUTH ${mechanism.name}`;
    let reply: Reply = await this.#channel.command(`${name}${first}`, "auth", t, `${name} ***`);
    // SCRAM takes two rounds; a server must not continue forever.
    for (let round = 0; reply.code === 334 && round < 10; round++) {
      let response: string;
      try {
        const challenge = Uint8Array.fromBase64(reply.lines[0] ?? "");
        response = (await mechanism.step(challenge)).toBase64();
      } catch (err) {
        // RFC 4954 §4: "*" cancels the exchange.
        await this.#channel.command("*", "auth", t);
        const text = err instanceof SaslError ? err.message : "challenge is not base64";
        throw failed(535, "5.7.8", text, err);
      }
      reply = await this.#channel.command(response, "auth", t, "***");
    }
    if (reply.code !== 235) throw refusal(reply, "auth");
    if (!mechanism.complete) {
      throw failed(535, "5.7.8", "server did not prove that it knows the password");
    }
  }

  /**
   * Sends a message to recipients in one transaction; returns their outcomes in order. The caller keeps to
   * `extensions.limits.rcptMax`.
   */
  async send(envelope: Envelope, message: MessageSource): Promise<RecipientOutcome[]> {
    this.transactions++;
    try {
      return await runTransaction(
        this.#channel,
        this.#extensions,
        envelope,
        message,
        this.#timeouts,
        this.#state,
      );
    } finally {
      clearTimeout(this.#giveUpTimer);
    }
  }

  /**
   * Asks whether the server accepts mail for an address, without sending a message: MAIL with the null sender,
   * RCPT, RSET.
   */
  async ask(address: string): Promise<RecipientOutcome> {
    this.transactions++;
    return await askRecipient(
      this.#channel,
      this.#extensions,
      address,
      this.#timeouts,
      this.#state,
    );
  }

  /**
   * Ends a running transaction: immediately, unless the server has the whole message. Then its answer is
   * awaited for `grace` milliseconds: without it the message would be sent again.
   */
  giveUp(grace: number): void {
    if (!this.#channel.committed) return this.destroy();
    clearTimeout(this.#giveUpTimer);
    this.#giveUpTimer = setTimeout(() => this.destroy(), grace);
  }

  /** Says goodbye and closes. Never throws. */
  async quit(): Promise<void> {
    if (!this.#channel.broken && !this.connection.closed) {
      // RFC 5321 §4.1.1.10: the answer is awaited, but not for long.
      await this.#channel.command("QUIT", "hello", this.#timeouts.quit).catch(() => {});
    }
    await this.connection.close();
  }

  /** Drops the connection immediately. */
  destroy(): void {
    this.#channel.destroy();
  }
}

function pick(err: SmtpClientError) {
  const { kind, phase, code, enhanced, text } = err;
  return {
    kind,
    phase,
    code: code >= 500 ? 451 : code,
    enhanced: enhanced.replace(/^5/, "4"),
    text,
  };
}
