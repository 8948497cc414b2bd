/**
 * The metrics listener: `/metrics` for Prometheus, and for monitoring and load balancers `/health` (the process answers)
 * and `/ready` (it can accept mail).
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { Server as Listener } from "node:net";
import { acceptConnections, boundPort, closeListener } from "../../platform/net.ts";
import { memoryUse } from "../../platform/process.ts";
import { gauge, registry } from "../../metrics/mod.ts";
import type { Log } from "../../log/mod.ts";

gauge("mox_memory_resident_bytes", "Resident memory of the process.", [], (g) => {
  g.set(memoryUse().resident);
});
gauge("mox_memory_heap_bytes", "Memory in use by values of the main thread.", [], (g) => {
  g.set(memoryUse().heap);
});
gauge("mox_memory_external_bytes", "Memory of buffers outside of the heap.", [], (g) => {
  g.set(memoryUse().external);
});
gauge("mox_start_time_seconds", "When the process started, seconds since the epoch.").set(
  Math.floor(Date.now() / 1000),
);

/** A running metrics listener. */
export interface MetricsListener {
  port: number;
  stop(): Promise<void>;
}

/** Milliseconds for which an answer to `/ready` is cached. */
const readyFor = 1000;

/**
 * Serves the metrics to the connections of a listening socket.
 * @param whyNotReady why no mail can be accepted; undefined if it can
 */
export function serveMetrics(
  listener: Listener,
  log: Log,
  whyNotReady: () => Promise<string | undefined>,
): MetricsListener {
  let last: { why: Promise<string | undefined>; at: number } | undefined;
  const ready = () => {
    if (last === undefined || Date.now() - last.at > readyFor) {
      last = { why: whyNotReady(), at: Date.now() };
    }
    return last.why;
  };
  const server: Server = createServer(async (request, response) => {
    try {
      const path = (request.url ?? "/").split("?", 1)[0];
      const headers = {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
      };
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.writeHead(405, { ...headers, Allow: "GET, HEAD" }).end();
      } else if (path === "/metrics") {
        const text = await registry.metrics();
        response.writeHead(200, { ...headers, "Content-Type": registry.contentType });
        response.end(request.method === "HEAD" ? undefined : text);
      } else if (path === "/health" || path === "/ready") {
        const why = path === "/ready" ? await ready() : undefined;
        const plain = { ...headers, "Content-Type": "text/plain; charset=utf-8" };
        response.writeHead(why === undefined ? 200 : 503, plain);
        response.end(request.method === "HEAD" ? undefined : `${why ?? "ok"}\n`);
      } else {
        response.writeHead(404, { ...headers, "Content-Type": "text/plain; charset=utf-8" });
        response.end("metrics are at /metrics, and /health and /ready answer\n");
      }
    } catch (err) {
      log.error("serving metrics", { err: err as Error });
      response.destroy();
    }
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  acceptConnections(listener, (socket) => {
    server.emit("connection", socket);
  });
  return {
    port: boundPort(listener),
    async stop() {
      const closed = closeListener(listener);
      server.closeAllConnections();
      await closed;
    },
  };
}
