/**
 * Pausing a connection by TLS so that its peer has to wait.
 *
 * The runtime goes on reading and decrypting under a paused TLS socket, without a bound (300 MB measured): what
 * protocols do against peers that send too much would be for nothing. So the socket below is told too.
 *
 * @module
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What the runtime has below a socket; not part of its documented interface, so tests look for it. */
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

/** From now on the socket's `pause` and `resume` are those of the transport below it too. */
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
