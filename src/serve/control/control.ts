/**
 * The control socket: how subcommands talk to the running server.
 *
 * A unix socket `ctl` in the data folder, which only its owner may open; on Windows a loopback TCP port
 * whose number and secret are in `ctl.json` there. A client sends one line of JSON
 * (`{"command": ..., "args": ..., "secret": ...}`); the server answers with lines of JSON: `{"text": ...}`
 * to print, and at last `{"ok": result}` or `{"error": ...}`.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Log } from "../../log/mod.ts";
import { countPanic } from "../../metrics/mod.ts";
import {
  type ControlAddress,
  controlAddress,
  forgetControl,
  listenForControl,
} from "../../platform/control_socket.ts";

/** A value that goes over the socket. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Handles a command; `print` sends text to the user's terminal immediately. The signal is aborted when the user
 * interrupts it.
 */
export type ControlHandler = (
  args: Json,
  print: (text: string) => void,
  signal: AbortSignal,
) => Promise<Json | void> | Json | void;

/** A command that failed in a way its user should read. */
export class ControlError extends Error {
  override name = "ControlError";
}

/** Fails to start because another server uses the data folder. */
export function inUse(dir: string): ControlError {
  return new ControlError(
    `another mox is running with the data folder ${dir}: stop it first ("mox stop"), or use another folder`,
  );
}

/** Bytes of a request; more is refused. */
const maxRequest = 64 * 1024 * 1024;

/** The server's end. */
export class ControlServer {
  readonly #dir: string;
  readonly #log: Log;
  /** The handlers; commands that arrive during the start wait for them. */
  readonly #handlers = Promise.withResolvers<ReadonlyMap<string, ControlHandler>>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #secret: string | undefined;

  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
    this.#handlers.promise.catch(() => {});
    this.#server = createServer((s) => this.#accept(s));
  }

  /** Answers commands from now on, including those already waiting. */
  serve(handlers: ReadonlyMap<string, ControlHandler>): void {
    this.#handlers.resolve(handlers);
  }

  /** Answers every command with this message: the data folder is in use for something else. */
  refuse(message: string): void {
    this.#handlers.reject(new ControlError(message));
  }

  /** Starts to listen. @throws if another server runs on this data folder. */
  async start(): Promise<void> {
    if (await controlAnswers(this.#dir)) throw inUse(this.#dir);
    this.#secret = await listenForControl(this.#server, this.#dir);
  }

  async stop(): Promise<void> {
    this.refuse("the server was stopped before it had started: try again");
    // Waiting commands get their answer before their connections are closed.
    await this.#handlers.promise.catch(() => {});
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const s of this.#sockets) s.destroySoon();
    await closed;
    await forgetControl(this.#dir);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let text = "";
    let started = false;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      if (started) return;
      text += chunk;
      if (text.length > maxRequest) return socket.destroy();
      if (!text.includes("\n")) return;
      started = true;
      this.#handle(socket, text.slice(0, text.indexOf("\n")));
    });
  }

  async #handle(socket: Socket, line: string): Promise<void> {
    const send = (json: Json) => {
      if (socket.writable) socket.write(JSON.stringify(json) + "\n");
    };
    const gone = new AbortController();
    socket.once("close", () => gone.abort(new ControlError("it was broken off")));
    try {
      const request = JSON.parse(line) as { command: string; args: Json; secret?: string };
      if (this.#secret !== undefined && !sameText(request.secret ?? "", this.#secret)) {
        throw new ControlError("wrong secret");
      }
      const handler = (await this.#handlers.promise).get(request.command);
      if (!handler) throw new ControlError(`the running server has no command ${request.command}`);
      const result = await handler(request.args, (text) => send({ text }), gone.signal);
      send({ ok: result ?? null });
    } catch (err) {
      if (!(err instanceof ControlError)) {
        this.#log.error("control command failed", { err: err as Error });
        if (!(err instanceof Error)) countPanic("control");
      }
      send({ error: err instanceof Error ? err.message : String(err) });
    } finally {
      socket.end();
    }
  }
}

function sameText(a: string, b: string): boolean {
  const x = new TextEncoder().encode(a);
  const y = new TextEncoder().encode(b);
  return x.length === y.length && timingSafeEqual(x, y);
}

/** True if a server answers on the data folder's control socket. */
export async function controlAnswers(dir: string): Promise<boolean> {
  try {
    const address = await controlAddress(dir);
    return await new Promise<boolean>((resolve) => {
      const s = connect(address);
      s.on("connect", () => {
        s.destroy();
        resolve(true);
      });
      s.on("error", () => resolve(false));
    });
  } catch {
    return false;
  }
}

function connect(address: ControlAddress): Socket {
  return address.path !== undefined
    ? createConnection({ path: address.path })
    : createConnection({ host: "127.0.0.1", port: address.port! });
}

/**
 * Runs a command in the server that uses the data folder.
 * @throws ControlError with the server's message, or if no server runs there.
 */
export async function callControl(
  dir: string,
  command: string,
  args: Json = null,
  print: (text: string) => void = () => {},
): Promise<Json> {
  let address: ControlAddress;
  try {
    address = await controlAddress(dir);
  } catch (err) {
    throw new ControlError(`no mox is running with the data folder ${dir}`, { cause: err });
  }
  return await new Promise<Json>((resolve, reject) => {
    const socket = connect(address);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      socket.write(JSON.stringify({ command, args, secret: address.secret }) + "\n");
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const m = JSON.parse(text.slice(0, end)) as { text?: string; ok?: Json; error?: string };
        text = text.slice(end + 1);
        if (m.text !== undefined) print(m.text);
        else if (m.error !== undefined) reject(new ControlError(m.error));
        else resolve(m.ok ?? null);
      }
    });
    socket.on(
      "error",
      (err) =>
        reject(new ControlError(`no mox is running with the data folder ${dir}`, { cause: err })),
    );
    socket.on("close", () => reject(new ControlError("the server closed the control connection")));
  });
}
