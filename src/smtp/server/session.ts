/**
 * One SMTP connection: reads commands, runs them from the table, answers.
 *
 * @module
 */
import { cidString, type Log } from "../../log/mod.ts";
import { countPanic } from "../../metrics/mod.ts";
import { type Connection, ConnectionError, SessionEnd, type TlsInfo } from "../../net/mod.ts";
import { isStorageError, isStorageFull } from "../../platform/storage_errors.ts";
import { mechanismNames } from "../../sasl/mod.ts";
import type { Recipient, SmtpSession, Transaction } from "./backend.ts";
import type { LineReader } from "./data_reader.ts";
import { formatReply, SmtpError, syntaxError } from "./errors.ts";
import type { MessageFile } from "./message_file.ts";
import * as metrics from "./metrics.ts";
import { defaultLimits, type SmtpLimits, type SmtpServerOptions } from "./options.ts";
import { isAscii } from "./path.ts";

/** A transaction while it is being built up. */
export type OpenTransaction =
  & {
    -readonly [K in keyof Omit<Transaction, "recipients">]: Transaction[K];
  }
  & { recipients: Recipient[] };

/** A command: answers, or throws the SmtpError to answer with. */
export interface Command {
  metric: metrics.CommandName;
  run(session: Session, args: string): Promise<void>;
}

/** A message arriving by BDAT, between two chunks. */
export interface ChunkedMessage {
  file: MessageFile;
  /** Checks line ends; undefined for BODY=BINARYMIME. */
  reader: LineReader | undefined;
  started: number;
}

/** RFC 4954 §4: lines of an authentication exchange. */
const maxAuthLine = 12_288;

/** First words that no SMTP client sends, but a web browser can be tricked into sending. */
const foreign = new Set([
  "GET",
  "POST",
  "HEAD",
  "PUT",
  "OPTIONS",
  "CONNECT",
  "USER-AGENT:",
  "HOST:",
]);

const decoder = new TextDecoder("utf-8", { fatal: true });

/** State of a connection. Commands change it; the backend sees the part in SmtpSession. */
export class Session implements SmtpSession {
  readonly conn: Connection;
  readonly options: SmtpServerOptions;
  readonly limits: SmtpLimits;
  readonly log: Log;
  readonly kind: metrics.Kind;

  hello = { name: "", extended: false };
  username: string | undefined;
  state: unknown = undefined;
  suspicious = false;
  /** Verb of the previous command. */
  lastVerb = "";
  /** A proxy has named its client by XCLIENT. */
  proxyNamed = false;
  /** The login is asserted by a proxy (XCLIENT); the client may still prove one. */
  loginOfProxy = false;

  transaction: OpenTransaction | undefined;
  chunked: ChunkedMessage | undefined;
  /** All recipients of the transaction were refused. */
  refusedRecipients = 0;
  failedLogins = 0;

  #errors = 0;
  #sinceMessage = 0;
  #quit = false;
  readonly #ending: SessionEnd;
  #lastCode = 0;

  readonly #commands: ReadonlyMap<string, Command>;

  /** @param commands by verb in upper case */
  constructor(
    conn: Connection,
    options: SmtpServerOptions,
    commands: ReadonlyMap<string, Command>,
  ) {
    this.conn = conn;
    this.#ending = new SessionEnd(conn);
    this.#commands = commands;
    this.options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.log = options.log.withCid(conn.cid);
    this.kind = options.submission ? "submission" : "smtp";
  }

  get cid(): number {
    return this.conn.cid;
  }
  get remoteIp(): string {
    return this.conn.remoteIp;
  }
  get remotePort(): number {
    return this.conn.remotePort;
  }
  get localIp(): string {
    return this.conn.localIp;
  }
  get localPort(): number {
    return this.conn.localPort;
  }
  get submission(): boolean {
    return this.options.submission === true;
  }
  get lmtp(): boolean {
    return this.options.lmtp === true;
  }
  get tls(): TlsInfo | undefined {
    return this.conn.tls;
  }
  get pedantic(): boolean {
    return this.options.pedantic === true;
  }

  /**
   * Serves the session to its end. Throws only ConnectionErrors.
   * @returns whether the client ended it by QUIT
   */
  async run(): Promise<boolean> {
    const { backend } = this.options;
    metrics.connections.inc({ kind: this.kind });
    this.log.info("new connection", {
      remote: this.remoteIp,
      local: `${this.localIp}:${this.localPort}`,
      kind: this.kind,
      tls: this.tls !== undefined,
    });
    try {
      if (await this.greet()) await this.#serve();
      return this.#quit && this.lastVerb === "QUIT";
    } finally {
      this.#ending.over();
      await this.dropTransaction();
      try {
        await backend.disconnected?.(this);
      } catch (e) {
        this.#unhandled(e, "at the end of a connection");
      }
      this.log.debug("connection closed");
    }
  }

  /**
   * Greets the client, or rejects it and returns false. After a proxy names another client, it is greeted
   * again.
   */
  async greet(): Promise<boolean> {
    const { options } = this;
    const delay = options.greetingDelay ?? 0;
    if (delay > 0) {
      const waited = AbortSignal.timeout(delay);
      await this.conn.waitInput(waited);
      // RFC 5321 §3.1: a client must wait for the greeting. Clients that don't are spammers.
      if (this.conn.buffered > 0) {
        this.log.info("peer talks before the greeting");
        this.reply(554, "5.1", "wait for the greeting before you send commands");
        await this.conn.flush();
        return false;
      }
    }
    try {
      await options.backend.connected?.(this);
    } catch (e) {
      const refusal = e instanceof SmtpError ? e : this.#unhandled(e, "before the greeting");
      this.reply(refusal.code, refusal.enhanced, refusal.message);
      await this.conn.flush();
      return false;
    }
    // RFC 2034 §4: no enhanced code in the greeting.
    this.replyPlain(220, `${options.hostname} ESMTP ready, id ${cidString(this.cid)}`);
    return true;
  }

  async #serve(): Promise<void> {
    while (!this.#quit) {
      if (this.#ending.reason !== undefined) {
        this.reply(421, "7.0", this.#ending.reason);
        break;
      }
      if (!this.conn.hasLine) await this.conn.flush();
      this.conn.readTimeout = this.limits.commandTimeout;
      let line: Uint8Array;
      try {
        line = await this.conn.readLine(maxAuthLine);
      } catch (e) {
        if (!(e instanceof ConnectionError)) throw e;
        if (!await this.#readFailed(e)) return;
        continue;
      }
      await this.#command(line);
    }
    await this.conn.flush();
  }

  /** Answers if a command could not be read; false if the connection is over. */
  async #readFailed(err: ConnectionError): Promise<boolean> {
    if (err.reason === "line") {
      await this.#refused("(other)", new SmtpError(500, "5.2", "line too long"));
      return true;
    }
    if (err.reason === "endless") this.reply(500, "5.2", "line too long, closing connection");
    else if (err.reason === "overload") this.reply(421, "3.2", "server is short of memory");
    else if (err.reason === "timeout") this.reply(421, "4.2", "timeout, closing connection");
    else if (this.#ending.reason !== undefined) this.reply(421, "7.0", this.#ending.reason);
    else if (err.reason === "shutdown") this.reply(421, "3.2", "server is shutting down");
    else throw err;
    await this.conn.flush();
    return false;
  }

  async #command(bytes: Uint8Array): Promise<void> {
    const started = performance.now();
    let cmd: metrics.CommandName = "(other)";
    this.#lastCode = 0;
    let verb = "";
    try {
      const line = this.#lineText(bytes);
      const words = this.#words(line);
      verb = words.verb.toUpperCase();
      this.traceCommand(verb, line);
      if (++this.#sinceMessage > this.limits.commands) {
        throw new SmtpError(421, "7.0", "too many commands", { close: true });
      }
      const command = this.#commands.get(verb);
      if (command === undefined) throw this.#unknown(verb);
      cmd = command.metric;
      if (bytes.length + 2 > this.limits.commandLine && verb !== "AUTH") {
        throw new SmtpError(500, "5.2", "line too long");
      }
      await command.run(this, words.args);
    } catch (e) {
      if (e instanceof ConnectionError) {
        if (e.reason === "shutdown" || e.reason === "timeout" || e.reason === "overload") {
          if (!await this.#readFailed(e)) this.#quit = true;
          return;
        }
        throw e;
      }
      await this.#refused(cmd, e instanceof SmtpError ? e : this.#unhandled(e, `in ${cmd}`));
      return;
    } finally {
      this.lastVerb = verb;
      if (this.log.enabled("debug")) {
        const duration = (performance.now() - started).toFixed(1);
        this.log.debug("command", { cmd, code: this.#lastCode, ms: duration });
      }
    }
    metrics.commands.inc({ kind: this.kind, cmd, result: this.#lastCode < 300 ? "2xx" : "3xx" });
    if (this.suspicious) await this.#slowDown(this.options.suspiciousDelay ?? 1000);
  }

  /** The command and what follows. Blanks too many, which programs write here and there, are harmless. */
  #words(line: string): { verb: string; args: string } {
    const text = this.pedantic ? line : line.trim();
    const space = this.pedantic ? text.indexOf(" ") : text.search(/[ \t]/);
    if (space < 0) return { verb: text, args: "" };
    const args = text.slice(space + 1);
    return { verb: text.slice(0, space), args: this.pedantic ? args : args.trimStart() };
  }

  /** The words of a command's arguments. */
  wordsOf(args: string): string[] {
    return args.split(this.pedantic ? " " : / +/);
  }

  #lineText(bytes: Uint8Array): string {
    if (this.conn.lastLineBareLf) {
      metrics.smuggling.inc({ kind: this.kind });
      throw new SmtpError(500, "5.2", "lines must end in CRLF");
    }
    for (let i = 0; i < bytes.length; i++) {
      const c = bytes[i];
      if (c >= 0x20 && c !== 0x7f) continue;
      // TLS on a plain port: give up.
      if (i === 0 && c === 0x16) {
        throw new SmtpError(500, "5.1", "use STARTTLS, or a port for TLS", { close: true });
      }
      if (c === 0x0d) {
        metrics.smuggling.inc({ kind: this.kind });
        throw new SmtpError(500, "5.2", "bare CR in command");
      }
      if (c !== 0x09) throw new SmtpError(500, "5.2", "control character in command");
    }
    try {
      return decoder.decode(bytes);
    } catch {
      throw new SmtpError(500, "5.2", "command is not UTF-8");
    }
  }

  #unknown(verb: string): SmtpError {
    if (foreign.has(verb)) {
      return new SmtpError(554, "5.1", "this is an SMTP server", { close: true });
    }
    return new SmtpError(500, "5.1", "unknown command");
  }

  /** Answers a refused command. Peers with many refusals are slowed down, then disconnected. */
  async #refused(cmd: metrics.CommandName, err: SmtpError): Promise<void> {
    const result = err.temporary ? "4xx" : "5xx";
    metrics.commands.inc({ kind: this.kind, cmd, result });
    if (err.harmless) {
      this.reply(err.code, err.enhanced, err.message);
      return;
    }
    this.#errors++;
    this.log.debug("command refused", {
      cmd,
      code: err.code,
      status: err.status,
      reason: err.message,
    });
    const tooMany = this.#errors > this.limits.errors;
    const slow = this.#errors - 5;
    if (slow > 0) await this.#slowDown(Math.min(5000, slow * (this.options.errorDelay ?? 200)));
    if (this.suspicious) await this.#slowDown(this.options.suspiciousDelay ?? 1000);
    this.reply(err.code, err.enhanced, err.message);
    if (tooMany) this.reply(421, "7.0", "too many errors");
    if (err.close || err.code === 421 || tooMany) this.#quit = true;
  }

  async #slowDown(ms: number): Promise<void> {
    if (ms <= 0) return;
    await this.conn.flush();
    await this.pause(ms);
  }

  /** Waits, but no longer than the connection exists. */
  async pause(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.conn.closed && !(this.conn.ended && this.conn.buffered === 0)) {
      const left = end - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 500)));
    }
  }

  /** Ends the connection without an answer. */
  drop(): void {
    this.#quit = true;
    this.conn.destroy();
  }

  #unhandled(e: unknown, where: string): SmtpError {
    if (e instanceof ConnectionError) throw e;
    if (isStorageFull(e)) {
      this.log.error("no space for message", { err: e as Error });
      return new SmtpError(452, "3.1", "insufficient system storage", { cause: e });
    }
    if (isStorageError(e)) {
      this.log.error("message can't be stored", { err: e as Error });
      return new SmtpError(451, "3.0", "message could not be stored", { cause: e });
    }
    countPanic("smtpserver");
    this.log.error(`unhandled error ${where}`, {
      err: e instanceof Error ? e : new Error(String(e)),
      stack: e instanceof Error ? e.stack : undefined,
    });
    return new SmtpError(421, "3.0", "internal error", { close: true, cause: e });
  }

  /** Queues an answer with an enhanced status code; several lines are separated by \n. */
  reply(code: number, enhanced: string, text: string): void {
    this.#write(code, formatReply(code, `${Math.floor(code / 100)}.${enhanced}`, text));
  }

  /** Queues an answer without one. */
  replyPlain(code: number, text: string): void {
    this.#write(code, formatReply(code, undefined, text));
  }

  #write(code: number, lines: string): void {
    this.#lastCode = code;
    if (this.log.enabled("trace")) {
      for (const line of lines.trimEnd().split("\r\n")) this.log.trace("trace", `S: ${line}`);
    }
    this.conn.write(lines);
  }

  /** Logs a command; possible passwords are shown only at the level traceauth. */
  traceCommand(verb: string, line: string): void {
    if (!this.log.enabled("trace")) return;
    if (this.#commands.has(verb) && verb !== "AUTH") return this.log.trace("trace", `C: ${line}`);
    // A line that is not a command may be a mistyped one, or a late response with a password.
    if (verb !== "AUTH") return this.traceSecret(line.slice(0, 4), line);
    const [auth, mechanism, ...rest] = line.trim().split(/[ \t]+/);
    const known = (mechanismNames as readonly string[]).includes(mechanism?.toUpperCase() ?? "");
    const shown = known ? `${auth} ${mechanism}` : auth;
    this.traceSecret(shown, rest.length > 0 || (mechanism && !known) ? line : undefined);
  }

  /** Logs a piece of a message, only at the level tracedata. */
  traceData(bytes: Uint8Array): void {
    if (!this.log.enabled("tracedata")) return;
    this.log.trace("tracedata", `C: ${new TextDecoder("latin1").decode(bytes)}`);
  }

  /** Logs a line whose secret part is shown only at the level traceauth. */
  traceSecret(shown: string, full: string | undefined): void {
    if (full !== undefined && this.log.enabled("traceauth")) {
      this.log.trace("traceauth", `C: ${full}`);
    } else if (this.log.enabled("trace")) {
      this.log.trace("trace", `C: ${shown}${full === undefined ? "" : " ***"}`);
    }
  }

  /** A line of an authentication exchange, which is not a command. */
  async readAuthLine(): Promise<string> {
    await this.conn.flush();
    let line: Uint8Array;
    try {
      line = await this.conn.readLine(maxAuthLine);
    } catch (e) {
      if (e instanceof ConnectionError && e.reason === "line") {
        // RFC 4954 §6
        throw new SmtpError(500, "5.6", "authentication exchange line is too long", { cause: e });
      }
      throw e;
    }
    const text = this.#lineText(line);
    if (!isAscii(text)) throw syntaxError("base64 expected");
    return text;
  }

  /** Forgets the transaction and the received part of its message. */
  async dropTransaction(): Promise<void> {
    this.transaction = undefined;
    this.refusedRecipients = 0;
    const chunked = this.chunked;
    this.chunked = undefined;
    this.conn.mailUnderWay = false;
    await chunked?.file.discard();
  }

  /** A message was accepted: the peer's errors so far are forgiven. */
  accepted(): void {
    this.#errors = 0;
    this.#sinceMessage = 0;
  }

  end(reason: string): void {
    this.#ending.begin(reason);
  }

  /** The loop ends after the answer. */
  quit(): void {
    this.#quit = true;
  }

  /** After STARTTLS the client must start again (RFC 3207 §4.2). */
  forget(): void {
    this.hello = { name: "", extended: false };
    this.username = undefined;
    this.loginOfProxy = false;
  }
}
