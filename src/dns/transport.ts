/** One query to one resolver: UDP, and TCP if the answer does not fit. @module */
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { formatIp, parseIp } from "./ip.ts";
import type { DnsServer } from "./resolv_conf.ts";
import { DnsError, type RecordType } from "./types.ts";
import { decodeResponse, encodeQuery, type Response } from "./wire.ts";

/** Most wrong datagrams that are checked while waiting for the right one. */
const MAX_WRONG_DATAGRAMS = 100;

/**
 * Sends a query and waits at most `timeoutMs` for its response. Each query has a random id
 * and its own socket, and so its own port (RFC 5452 §9.2). Throws {@link DnsError} `timeout`,
 * `truncated` or `malformed`.
 */
export async function exchange(
  server: DnsServer,
  name: string,
  type: RecordType,
  timeoutMs: number,
): Promise<Response> {
  const deadline = Date.now() + timeoutMs;
  const response = await overUdp(server, name, type, timeoutMs);
  if (!response.truncated) return response;
  const rest = Math.max(deadline - Date.now(), timeoutMs / 2);
  try {
    return await overTcp(server, name, type, rest);
  } catch (err) {
    throw new DnsError("truncated", name, type, {
      detail: "answer too large for UDP, and none over TCP",
      cause: err,
    });
  }
}

function overUdp(
  server: DnsServer,
  name: string,
  type: RecordType,
  timeoutMs: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const id = randomInt(0x10000);
    const socket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
    let done = false;
    let wrong = 0;
    const end = (result: Response | DnsError) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      try {
        socket.close();
      } catch {
        // Already closed by the error that ends it.
      }
      if (result instanceof DnsError) reject(result);
      else resolve(result);
    };
    const timer = setTimeout(() => end(new DnsError("timeout", name, type)), timeoutMs);
    socket.on("error", (err) => end(new DnsError("timeout", name, type, { cause: err })));
    socket.on("message", (message, from) => {
      let response: Response | undefined;
      // A datagram from another host is not the answer, whatever it contains.
      if (from.port === server.port && sameAddress(from.address, server.address)) {
        try {
          response = decodeResponse(message, id, name, type);
        } catch (err) {
          return end(new DnsError("malformed", name, type, { cause: err }));
        }
      }
      if (response) end(response);
      else if (++wrong >= MAX_WRONG_DATAGRAMS) {
        end(new DnsError("malformed", name, type, { detail: "too many forged answers" }));
      }
    });
    socket.send(encodeQuery(id, name, type), server.port, server.address, (err) => {
      if (err) end(new DnsError("timeout", name, type, { cause: err }));
    });
  });
}

function sameAddress(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [parseIp(a), parseIp(b)];
  return x !== undefined && y !== undefined && formatIp(x) === formatIp(y);
}

function overTcp(
  server: DnsServer,
  name: string,
  type: RecordType,
  timeoutMs: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const id = randomInt(0x10000);
    const socket = connect(server.port, server.address);
    // Space for the longest message: filled in place, so that tiny pieces cost no copies.
    const received = Buffer.alloc(2 + 0xffff);
    let size = 0;
    let done = false;
    const end = (result: Response | Error) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const timer = setTimeout(() => end(new DnsError("timeout", name, type)), timeoutMs);
    socket.on("connect", () => {
      const query = encodeQuery(id, name, type);
      // RFC 1035 §4.2.2: over TCP a message is preceded by two octets of length.
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
    });
    socket.on("data", (chunk: Buffer) => {
      size += chunk.copy(received, size);
      if (size < 2) return;
      const length = received.readUInt16BE(0);
      if (size < 2 + length) return;
      try {
        const response = decodeResponse(received.subarray(2, 2 + length), id, name, type);
        end(response ?? new DnsError("malformed", name, type, { detail: "not the answer" }));
      } catch (err) {
        end(new DnsError("malformed", name, type, { cause: err }));
      }
    });
    socket.on("error", end);
    socket.on("close", () => end(new Error("connection closed before the answer")));
  });
}
