/** A connection to another node as a stream of bytes, for upgraded requests. @module */
import { Duplex } from "node:stream";
import type { SocketConnection } from "../net/mod.ts";

/** Bytes read at a time. */
const pieceSize = 64 * 1024;
/** Milliseconds for a read that ends only with the connection: who speaks over it notices when the other is gone. */
const forever = 2 ** 31 - 1;

/** The connection's bytes. Ending or destroying the stream closes the connection. */
export function streamOf(conn: SocketConnection): Duplex {
  conn.readTimeout = forever;
  const stream: Duplex = new Duplex({
    read() {
      conn.readSome(pieceSize).then(
        (bytes) => void this.push(Uint8Array.from(bytes)),
        () => void this.push(null),
      );
    },
    write(bytes: Uint8Array, _encoding, done) {
      conn.write(bytes);
      conn.flush().then(() => done(), done);
    },
    final(done) {
      conn.close().then(() => {
        done();
        // Nothing more comes, whether somebody reads or not.
        stream.destroy();
      }, done);
    },
    destroy(err, done) {
      conn.destroy();
      done(err);
    },
  });
  return stream;
}
