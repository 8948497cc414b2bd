/**
 * What protocol servers and clients see of a connection: framed input, buffered output, TLS.
 *
 * @module
 */

import type { Authorities } from "./outbound/authorities.ts";

/** What is known of a connection's TLS layer once it is on. */
export interface TlsInfo {
  /** "TLSv1.2" or "TLSv1.3". */
  version: string;
  cipher: string;
  /** Name the client asked for by SNI. */
  serverName?: string;
  alpn?: string;
  /** Bindings for SCRAM-*-PLUS that this side can compute, by name ("tls-server-end-point", "tls-unique"). */
  channelBindings: Map<string, Uint8Array>;
  /** Raw DER of the peer's certificate, if it sent one. */
  peerCertificate?: Uint8Array;
  /** As a client that does not insist: why the server's certificate would be refused, as a code. */
  untrusted?: string;
}

/**
 * Why reading or writing ended. `timeout`, `line`, `endless`, `shutdown` and `overload` leave the connection
 * usable for a last answer: `endless` is a line that goes on and on after its limit, `overload` a connection
 * that is closed because all of them together hold too much memory.
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

/** How it stands with a connection, for its reader and its writer. */
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
   * The trusted proxy at the other end speaks for this client, or more of it is known.
   * @param tls that the client spoke with it, null for none; what is known of this connection if not given
   * @returns false, and nothing changes, if the client's networks have too many connections
   */
  clientIs(client: Partial<Peer>, tls?: TlsInfo | null): boolean;
  /** Undefined until TLS is on. */
  readonly tls: TlsInfo | undefined;
  readonly closed: boolean;
  /** Milliseconds that a read may wait for input, and a flush for the peer to read. */
  readTimeout: number;
  writeTimeout: number;

  /** Mail is under way: the connection is among the last to be closed when memory is short. */
  mailUnderWay: boolean;

  /**
   * One line without its CRLF. `maxBytes` counts the line with its end; longer lines are read to
   * their end, dropped, and give a ConnectionError "line". `lastLineBareLf` tells if it ended in LF alone.
   * Waits while the peer leaves answers unread, and for a turn of the loop where others are due.
   */
  readLine(maxBytes: number): Promise<Uint8Array>;
  readonly lastLineBareLf: boolean;
  /** Whatever has arrived, at least one byte, at most `maxBytes`; a view, valid until the next read. */
  readSome(maxBytes: number): Promise<Uint8Array>;
  /** Puts bytes back in front of the input. */
  unread(bytes: Uint8Array): void;
  /** Bytes that have arrived and were not read yet. */
  readonly buffered: number;
  /** True if readLine would not wait: servers flush their answers only when it would. */
  readonly hasLine: boolean;
  /** The peer has closed its side: nothing arrives any more, but answers may still reach it. */
  readonly ended: boolean;
  /** Resolves when input is there or the peer has closed; for waiting on several things at once. */
  waitInput(signal?: AbortSignal): Promise<void>;

  /** Adds to the output buffer; sent at flush, or by itself when the buffer passes 64 KiB. */
  write(data: string | Uint8Array): void;
  /**
   * Sends the buffered output and waits while the peer is slow: at most 256 KiB are in flight. Waits for a
   * turn of the loop where others are due, so that long answers flush now and then.
   */
  flush(): Promise<void>;

  /**
   * Server: sends what was written, then becomes the TLS server end. Plain bytes that had already arrived are dropped
   * (RFC 3207 §4.2), what comes once the answer is on its way belongs to the handshake. The answer before it is
   * written, not flushed: flush may give others a turn, in which the client begins its handshake.
   */
  startTlsServer(context: ServerTls): Promise<void>;
  /** Client: becomes the TLS client end. */
  startTlsClient(options: ClientTls): Promise<void>;
  /** From here on raw deflate both ways (RFC 4978). Call flush first. */
  startDeflate(): void;

  /** From now on waiting for the start of a line fails with "shutdown"; what runs goes on. */
  stop(): void;
  /** Flushes what can be sent within a second, then closes. Never throws. */
  close(): Promise<void>;
  /** Drops the connection at once. Never throws. */
  destroy(): void;
}

/** A certificate with its key, PEM. */
export interface KeyCert {
  key: string;
  cert: string;
}

/** How a server answers TLS: the certificate is chosen for each connection by server name. */
export interface ServerTls {
  certificateFor(
    serverName: string | undefined,
  ): KeyCert | undefined | Promise<KeyCert | undefined>;
  /** Ask for a client certificate; it is not verified here. */
  requestClientCertificate?: boolean;
  alpnProtocols?: string[];
  /**
   * The certificate that proves control of a name to an ACME authority, in handshakes with the protocol
   * "acme-tls/1" alone (RFC 8737). While it is undefined or `pending` is false, clients aren't looked at
   * before the handshake.
   */
  proof?: { readonly pending: boolean; certificateFor(serverName: string): KeyCert | undefined };
}

export interface ClientTls {
  serverName: string;
  /** Verify against the authorities and the server name. */
  verify: boolean;
  /** Who vouches for servers; those of the system if not given. */
  authorities?: Authorities;
  /** Certificate to show if the server asks for one. */
  keyCert?: KeyCert;
  /** Called with the peer's chain in DER, leaf first; false refuses it (DANE). */
  verifyChain?(chain: Uint8Array[]): boolean;
}
