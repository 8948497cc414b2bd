/** Commands and answers on one connection. @module */
import type { Log } from "../../log/mod.ts";
import { type Connection, ConnectionError } from "../../net/mod.ts";
import { type Phase, SmtpClientError } from "./errors.ts";
import { maxReplyLine, type Reply, ReplyError, ReplyParser, replyText } from "./reply.ts";

/** The server has answered or is taking a message; or it has the whole message and its answer is awaited. */
export type Progress = "alive" | "committed";

/** A connection with the commands that have been sent but not answered yet. */
export class Channel {
  readonly connection: Connection;
  readonly log: Log;
  readonly #parser = new ReplyParser();
  /** The connection is unusable: it broke, the server said 421, or we lost count of answers. */
  broken = false;
  /** The server has a whole message, and its answer is awaited. */
  committed = false;
  /** Called whenever the server makes progress. */
  onProgress: (step: Progress) => void = () => {};

  constructor(connection: Connection, log: Log) {
    this.connection = connection;
    this.log = log;
  }

  /** Queues a command, given without its line end. `shown` is for the log. */
  write(line: string, shown = line): void {
    if (this.log.enabled("traceauth")) this.log.trace("traceauth", "trace", { C: line });
    else if (this.log.enabled("trace")) this.log.trace("trace", "trace", { C: shown });
    this.connection.write(`${line}\r\n`);
  }

  async flush(phase: Phase, timeout: number): Promise<void> {
    this.connection.writeTimeout = timeout;
    try {
      await this.connection.flush();
    } catch (err) {
      throw this.#lost(err, phase);
    }
  }

  /** The next answer, whatever it is. A 421 by which the server ends the session is thrown. */
  async read(phase: Phase, timeout: number): Promise<Reply> {
    this.connection.readTimeout = timeout;
    const deadline = performance.now() + timeout;
    try {
      for (;;) {
        // All lines of an answer must arrive within the time for one answer.
        this.connection.readTimeout = Math.max(1, deadline - performance.now());
        const line = await this.connection.readLine(maxReplyLine);
        const reply = this.#parser.push(line);
        if (!reply) continue;
        this.progress("alive");
        if (this.log.enabled("trace")) {
          this.log.trace("trace", "trace", { S: `${reply.code} ${replyText(reply)}` });
        }
        if (reply.code === 421) {
          this.broken = true;
          throw refusal(reply, phase);
        }
        return reply;
      }
    } catch (err) {
      if (err instanceof SmtpClientError) throw err;
      throw this.#lost(err, phase);
    }
  }

  /** Sends one command and reads its answer. */
  async command(line: string, phase: Phase, timeout: number, shown = line): Promise<Reply> {
    this.write(line, shown);
    await this.flush(phase, timeout);
    return await this.read(phase, timeout);
  }

  progress(step: Progress): void {
    this.committed = step === "committed";
    this.onProgress(step);
  }

  #lost(err: unknown, phase: Phase): SmtpClientError {
    this.broken = true;
    return connectionFailure(err, phase);
  }

  /** Drops the connection immediately. */
  destroy(): void {
    this.broken = true;
    this.connection.destroy();
  }
}

/** The error for an answer other than the expected one. */
export function refusal(reply: Reply, phase: Phase): SmtpClientError {
  // An unexpected answer that is no refusal (a 2xx or 3xx where another was due) is a server fault.
  const odd = reply.code < 400;
  const permanent = reply.code >= 500;
  return new SmtpClientError({
    kind: odd ? "protocol" : "reply",
    phase,
    code: odd ? 451 : reply.code,
    enhanced: odd ? "4.5.0" : reply.enhanced || (permanent ? "5.0.0" : "4.0.0"),
    text: odd ? `unexpected answer: ${reply.code} ${replyText(reply)}` : replyText(reply),
    permanent,
  });
}

/** The error for a connection that failed. */
export function connectionFailure(err: unknown, phase: Phase): SmtpClientError {
  if (err instanceof SmtpClientError) return err;
  const cause = err instanceof Error ? err : undefined;
  let text = cause?.message ?? String(err);
  if (cause?.cause instanceof Error && !text.includes(cause.cause.message)) {
    text += `: ${cause.cause.message}`;
  }
  const options = { cause };
  if (err instanceof ReplyError || (err instanceof ConnectionError && err.reason === "line")) {
    return new SmtpClientError(
      { kind: "protocol", phase, code: 451, enhanced: "4.5.0", text },
      options,
    );
  }
  const reason = err instanceof ConnectionError ? err.reason : "closed";
  const kind = reason === "timeout"
    ? "timeout"
    : reason === "tls"
    ? "tls"
    : reason === "shutdown"
    ? "cancelled"
    : "network";
  // RFC 3463 §3.5: 4.4.1 no answer from the host; 4.4.2: bad connection; 4.7.5: cryptography.
  const enhanced = kind === "tls" ? "4.7.5" : phase === "connect" ? "4.4.1" : "4.4.2";
  return new SmtpClientError({ kind, phase, code: 451, enhanced, text }, options);
}
