/** An HTTP server that webhooks are called at, and that answers as a test wants it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface Received {
  headers: IncomingMessage["headers"];
  body: string;
}

export interface Receiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Resolves when so many calls have come in. */
  calls(n: number): Promise<void>;
  answer: (n: number, res: ServerResponse) => void;
}

/** Starts it. */
export async function receiver(
  answer: Receiver["answer"] = (_n, res) => res.end("fine"),
): Promise<Receiver> {
  const received: Received[] = [];
  let waiting: { n: number; resolve: () => void }[] = [];
  const server: Server = createServer((req, res) => {
    let body = "";
    req.on("data", (b: Uint8Array) => body += new TextDecoder().decode(b));
    req.on("end", () => {
      received.push({ headers: req.headers, body });
      r.answer(received.length, res);
      for (const w of waiting) if (received.length >= w.n) w.resolve();
      waiting = waiting.filter((w) => received.length < w.n);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const r: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer,
    calls(n) {
      if (received.length >= n) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ n, resolve }));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return r;
}
