/**
 * The interface of connections for protocol servers and clients: framed input, buffered output, TLS.
 *
 * @module
 */

import type { Authorities } from "./outbound/authorities.ts";

/** Facts about a connection's active TLS layer. */
export interface TlsInfo {
  /** "TLSv1.2" or "TLSv1.3". */
  version: string;
  cipher: string;
  /** Server name requested by the client (SNI). */
  serverName?: string;
  alpn?: string;
  /** Bindings for SCRAM-*-PLUS that this side can compute, by name ("tls-server-end-point", "tls-unique"). */
  channelBindings: Map<string, Uint8Array>;
  /** Raw DER of the peer's certificate, if it sent one. */
  peerCertificate?: Uint8Array;
  /** For a client that doesn't insist: why the server's certificate would be refused, as a code. */
  untrusted?: string;
}

/**
 * Why reading or writing ended. `timeout`, `line`, `endless`, `shutdown` and `overload` leave the connection
 * usable for a last answer: `endless` is a line that continues far beyond its limit, `overload` a connection
 * closed because all of them together hold too much memory.
 */
export class ConnectionError extends Error {
  readonly reason: "closed" | "timeout" | "line" | "endless" | "tls" | "shutdown" | "overload";
  /** With `line` and `endless`: how the line began, up to 256 bytes. */
  readonly start: Uint8Array | undefined;
  /** With `line`: how it ended, up to 32 bytes, without line end. */
  readonly end: Uint8Array | undefined;
  constructor(
    reason: ConnectionError["reason"],
    message: string,
    options?: ErrorOptions & { start?: Uint8Array; end?: Uint8Array },
  ) {
    super(message, options);
    this.name = "ConnectionError";
    this.reason = reason;
    this.start = options?.start;
    this.end = options?.end;
  }
}

/** The two ends of a connection. */
export interface Peer {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
}

/** The state of a connection, for its reader and its writer. */
export interface ConnectionState {
  /** Why it failed; the first of several errors. */
  error: Error | undefined;
  closed: boolean;
}

/** One end of a stream connection. Not for use by two readers at once. */
export interface Connection {
  readonly cid: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** The other end is a trusted proxy that has not named its client yet. */
  readonly fromProxy: boolean;
  /**
   * Names the client of the trusted proxy at the other end, or adds facts about it.
   * @param tls the client's TLS with the proxy, null for none; this connection's TLS if not given
   * @returns false, and nothing changes, if the client's networks have too many connections
   */
  clientIs(client: Partial<Peer>, tls?: TlsInfo | null): boolean;
  /** Undefined until TLS is on. */
  readonly tls: TlsInfo | undefined;
  readonly closed: boolean;
  /** Milliseconds that a read may wait for input, and a flush for the peer to read. */
  readTimeout: number;
  writeTimeout: number;

  /** Mail is in progress: the connection is among the last to be closed when memory is short. */
  mailUnderWay: boolean;

  /**
   * One line without its CRLF. `maxBytes` counts the line with its end; longer lines are read to their end,
   * dropped, and give a ConnectionError "line". `lastLineBareLf` says whether it ended in a bare LF. Waits
   * while the peer leaves answers unread, and for a turn of the loop if others are due.
   */
  readLine(maxBytes: number): Promise<Uint8Array>;
  readonly lastLineBareLf: boolean;
  /** Any available bytes, at least one, at most `maxBytes`; a view, valid until the next read. */
  readSome(maxBytes: number): Promise<Uint8Array>;
  /** Puts bytes back in front of the input. */
  unread(bytes: Uint8Array): void;
  /** Number of bytes that have arrived but not been read. */
  readonly buffered: number;
  /** True if readLine would not wait: servers flush their answers only when it would. */
  readonly hasLine: boolean;
  /** The peer has closed its side: no more input arrives, but answers may still reach it. */
  readonly ended: boolean;
  /** Resolves when input is available or the peer has closed; for waiting on several things at once. */
  waitInput(signal?: AbortSignal): Promise<void>;

  /** Adds to the output buffer; sent at flush, or automatically when the buffer exceeds 64 KiB. */
  write(data: string | Uint8Array): void;
  /**
   * Sends the buffered output and waits while the peer is slow: at most 256 KiB are in flight. Waits for a turn
   * of the loop if others are due, so long answers should flush from time to time.
   */
  flush(): Promise<void>;

  /**
   * Server: sends what was written, then becomes the TLS server end. Plain bytes that have already arrived are
   * dropped (RFC 3207 §4.2); bytes after the answer is sent belong to the handshake. Write the answer without
   * flushing it: flush may give others a turn, in which the client begins its handshake.
   */
  startTlsServer(context: ServerTls): Promise<void>;
  /** Client: becomes the TLS client end. */
  startTlsClient(options: ClientTls): Promise<void>;
  /** From here on raw deflate in both directions (RFC 4978). Call flush first. */
  startDeflate(): void;

  /** From now on waiting for the start of a line fails with "shutdown"; running work continues. */
  stop(): void;
  /** Flushes what can be sent within a second, then closes. Never throws. */
  close(): Promise<void>;
  /** Drops the connection immediately. Never throws. */
  destroy(): void;
}

/** A certificate with its key, PEM. */
export interface KeyCert {
  key: string;
  cert: string;
}

/** A server's TLS options: the certificate is chosen for each connection by server name. */
export interface ServerTls {
  certificateFor(
    serverName: string | undefined,
  ): KeyCert | undefined | Promise<KeyCert | undefined>;
  /** Ask for a client certificate; it is not verified here. */
  requestClientCertificate?: boolean;
  alpnProtocols?: string[];
  /**
   * The certificate that proves control of a name to an ACME authority, only in handshakes with the protocol
   * "acme-tls/1" (RFC 8737). While it is undefined or `pending` is false, the ClientHello isn't inspected.
   */
  proof?: { readonly pending: boolean; certificateFor(serverName: string): KeyCert | undefined };
}

export interface ClientTls {
  serverName: string;
  /** Verify against the authorities and the server name. */
  verify: boolean;
  /** Certificate authorities for servers; the system's if not given. */
  authorities?: Authorities;
  /** Certificate to show if the server asks for one. */
  keyCert?: KeyCert;
  /** Called with the peer's chain in DER, leaf first; false refuses it (DANE). */
  verifyChain?(chain: Uint8Array[]): boolean;
}
