/**
 * TLS handshakes of both sides, on a connected socket.
 *
 * "tls-unique" and "tls-exporter" channel bindings are impossible: the runtime provides neither the Finished
 * messages nor exported keying material. "tls-server-end-point" needs only the certificate.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  connect,
  type ConnectionOptions as TlsConnectionOptions,
  type DetailedPeerCertificate,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { acmeProtocol, peekHello, showProof } from "./acme_tls.ts";
import { parseIp } from "./ip.ts";
import { systemAuthorities } from "./outbound/authorities.ts";
import { pauseTransport } from "./tls_pause.ts";
import { endPointBinding, prepareCertificate, type PreparedCertificate } from "./tlscert.ts";
import { type ClientTls, ConnectionError, type ServerTls, type TlsInfo } from "./types.ts";

/** A TLS connection, terminated here or by a proxy. */
export interface Secured {
  socket: Socket;
  info: TlsInfo;
}

/** A socket after the handshake, and facts about it. */
export interface Handshaken extends Secured {
  socket: TLSSocket;
}

/** Answers the handshake of a client. Fails with a ConnectionError "tls" or "timeout". */
export async function serverHandshake(
  raw: Socket,
  context: ServerTls,
  timeout: number,
): Promise<Handshaken> {
  if (context.proof?.pending) {
    const peeked = await peekHello(raw, timeout);
    if (peeked?.hello.alpn.includes(acmeProtocol)) {
      const pair = context.proof.certificateFor(peeked.hello.serverName);
      if (!pair) throw new ConnectionError("tls", "no ACME proof is pending for the name");
      await showProof(raw, peeked, pair);
      // For the caller the connection ended in its handshake.
      throw new ConnectionError("closed", "ACME proof was shown");
    }
  }
  let used: PreparedCertificate | undefined;
  const fallback = await context.certificateFor(undefined);
  if (fallback !== undefined) used = prepareCertificate(fallback);
  const choose = async (name: string): Promise<PreparedCertificate> => {
    const pair = await context.certificateFor(name);
    if (pair === undefined) throw new Error(`no certificate for ${JSON.stringify(name)}`);
    return used = prepareCertificate(pair);
  };
  const options = {
    isServer: true,
    secureContext: used?.context,
    requestCert: context.requestClientCertificate === true,
    rejectUnauthorized: false,
    ALPNProtocols: context.alpnProtocols,
    SNICallback(name: string, done: (err: Error | null, ctx?: SecureContext) => void) {
      // Also called with "", for clients that name no server.
      const chosen = name === "" && used !== undefined
        ? Promise.resolve(used)
        : choose(name.toLowerCase());
      chosen.then((c) => done(null, c.context), (e: Error) => done(e));
    },
  };
  const socket = new TLSSocket(raw, options);
  await settled(socket, "secure", timeout);
  pauseTransport(socket, raw);
  const bindings = new Map<string, Uint8Array>();
  if (used?.endPoint !== undefined) bindings.set("tls-server-end-point", used.endPoint);
  const name = (socket as TLSSocket & { servername?: string | false | null }).servername;
  return { socket, info: tlsInfo(socket, name || undefined, bindings) };
}

/** Begins a handshake with a server; the caller waits for its end. */
export function beginClientTls(raw: Socket, options: ClientTls): TLSSocket {
  const isIp = parseIp(options.serverName) !== undefined;
  const how: TlsConnectionOptions = {
    socket: raw,
    host: options.serverName,
    rejectUnauthorized: options.verify,
    minVersion: "TLSv1.2",
  };
  // RFC 6066 §3: the server name extension must not contain an address.
  if (!isIp) how.servername = options.serverName;
  if (options.keyCert !== undefined) {
    how.key = options.keyCert.key;
    how.cert = options.keyCert.cert;
  }
  (options.authorities ?? systemAuthorities).apply();
  return connect(how);
}

/** Completes the handshake with a server. Fails with a ConnectionError "tls" or "timeout". */
export async function clientHandshake(
  raw: Socket,
  options: ClientTls,
  timeout: number,
): Promise<Handshaken> {
  const isIp = parseIp(options.serverName) !== undefined;
  const socket = beginClientTls(raw, options);
  await settled(socket, "secureConnect", timeout);
  pauseTransport(socket, raw);
  const chain = peerChain(socket);
  if (options.verifyChain !== undefined && !options.verifyChain(chain)) {
    socket.destroy();
    throw new ConnectionError("tls", "certificate of the peer was refused");
  }
  const bindings = new Map<string, Uint8Array>();
  const endPoint = chain.length > 0 ? endPointBinding(chain[0]) : undefined;
  if (endPoint !== undefined) bindings.set("tls-server-end-point", endPoint);
  const info = tlsInfo(socket, isIp ? undefined : options.serverName, bindings);
  const error: Error | string | null | undefined = socket.authorizationError;
  if (!socket.authorized && error) {
    info.untrusted = typeof error === "string" ? error : (error as { code?: string }).code ?? "";
  }
  return { socket, info };
}

/** Waits for the event that ends a handshake. */
async function settled(socket: TLSSocket, event: string, timeout: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (e: Error) =>
    reject(new ConnectionError("tls", `tls handshake: ${e.message}`, { cause: e }));
  const onClose = () => reject(new ConnectionError("tls", "connection closed in tls handshake"));
  const timer = setTimeout(
    () => reject(new ConnectionError("timeout", "tls handshake takes too long")),
    timeout,
  );
  socket.on(event, resolve);
  socket.on("error", onError);
  socket.on("close", onClose);
  // With half-open sockets, a peer that went away shows only as the end of input.
  socket.on("end", onClose);
  try {
    await promise;
  } catch (e) {
    // Late errors of an abandoned socket must not become unhandled events.
    socket.on("error", () => {});
    socket.destroy();
    throw e;
  } finally {
    clearTimeout(timer);
    socket.off(event, resolve);
    socket.off("error", onError);
    socket.off("close", onClose);
    socket.off("end", onClose);
  }
}

function tlsInfo(
  socket: TLSSocket,
  serverName: string | undefined,
  channelBindings: Map<string, Uint8Array>,
): TlsInfo {
  const peer = socket.getPeerCertificate(false);
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.standardName ?? "",
    serverName,
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    channelBindings,
    peerCertificate: peer?.raw === undefined ? undefined : Uint8Array.from(peer.raw),
  };
}

/** The peer's certificates as it sent them, leaf first. */
function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let cert: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (cert?.raw !== undefined && chain.length < 20) {
    chain.push(Uint8Array.from(cert.raw));
    if (cert.issuerCertificate === cert) break;
    cert = cert.issuerCertificate;
  }
  return chain;
}
