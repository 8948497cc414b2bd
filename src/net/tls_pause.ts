/**
 * Pausing a TLS connection so that its peer has to wait.
 *
 * The runtime keeps reading and decrypting below a paused TLS socket, without a bound (300 MB measured), which
 * would defeat the protocols' protection against peers that send too much. So the underlying socket is paused
 * too.
 *
 * @module
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** The runtime's object below a socket; undocumented, so tests check that it exists. */
interface Handle {
  readStart(): number;
  readStop(): number;
}

function handleOf(raw: Socket): Handle | undefined {
  const handle = (raw as Socket & { _handle?: Partial<Handle> | null })._handle;
  return typeof handle?.readStop === "function" && typeof handle.readStart === "function"
    ? handle as Handle
    : undefined;
}

/** From now on the socket's `pause` and `resume` also act on the transport below it. */
export function pauseTransport(socket: TLSSocket, raw: Socket): void {
  socket.pause = () => {
    TLSSocket.prototype.pause.call(socket);
    if (!raw.destroyed) handleOf(raw)?.readStop();
    return socket;
  };
  socket.resume = () => {
    if (!raw.destroyed) handleOf(raw)?.readStart();
    TLSSocket.prototype.resume.call(socket);
    return socket;
  };
}
