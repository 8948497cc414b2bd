/** Answers made smaller: lists of messages are mostly names of fields. @module */
import { constants, createGzip, type Gzip } from "node:zlib";
import type { WebRequest } from "../http/mod.ts";

/** True if the client takes gzip. */
export function takesGzip(req: WebRequest): boolean {
  return (req.headers.get("accept-encoding") ?? "").toLowerCase().split(",").some((e) => {
    const [name, ...params] = e.split(";").map((s) => s.trim());
    return name === "gzip" && !params.some((p) => /^q=0(?:\.0*)?$/.test(p));
  });
}

/** The answer compressed, if it is text and the client takes that. */
export function compressed(req: WebRequest, response: Response): Response {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || !/^(?:application\/json|text\/)/.test(type) || !takesGzip(req)) {
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("Content-Encoding", "gzip");
  headers.append("Vary", "Accept-Encoding");
  const body = response.body.pipeThrough(new CompressionStream("gzip"));
  return new Response(body, { status: response.status, headers });
}

/** Compresses a stream of texts, each of which comes out whole before the next goes in. */
export class GzipTexts {
  readonly #gzip: Gzip = createGzip({ level: 5 });
  #chunks: Uint8Array[] = [];
  #failed: Error | undefined;

  constructor() {
    this.#gzip.on("data", (chunk: Uint8Array) => this.#chunks.push(new Uint8Array(chunk)));
    this.#gzip.on("error", (err: Error) => this.#failed = err);
  }

  /** What to send for a text. */
  add(text: Uint8Array): Promise<Uint8Array> {
    this.#gzip.write(text);
    return this.#output((done) => this.#gzip.flush(constants.Z_SYNC_FLUSH, done));
  }

  /** What to send at the end. */
  end(): Promise<Uint8Array> {
    return this.#output((done) => this.#gzip.once("end", done).end());
  }

  async #output(begin: (done: () => void) => void): Promise<Uint8Array> {
    await new Promise<void>((resolve) => begin(resolve));
    if (this.#failed) throw this.#failed;
    const chunks = this.#chunks;
    this.#chunks = [];
    const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const c of chunks) {
      all.set(c, at);
      at += c.length;
    }
    return all;
  }

  close(): void {
    this.#gzip.destroy();
  }
}
