/** Answers about several resources (RFC 4918 §13). @module */
import { giveWay } from "../../platform/turns.ts";
import { DAV, declarations, el, href } from "../xml/write.ts";

/** Words of a status. */
const reasons: Record<number, string> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  423: "Locked",
  424: "Failed Dependency",
  500: "Internal Server Error",
  507: "Insufficient Storage",
};

export const status = (code: number) =>
  el(DAV, "status", `HTTP/1.1 ${code} ${reasons[code] ?? "Status"}`);

/** Properties with one status. */
export function propstat(code: number, props: string, more = ""): string {
  return el(DAV, "propstat", el(DAV, "prop", props) + status(code) + more);
}

/** A response about a resource by its properties. */
export function propResponse(path: string, propstats: string): string {
  return el(DAV, "response", href(path) + propstats);
}

/** A response about a resource as a whole. */
export function statusResponse(path: string, code: number, more = ""): string {
  return el(DAV, "response", href(path) + status(code) + more);
}

/** Characters collected before they are sent. */
const piece = 64 * 1024;

/**
 * A 207 whose responses are made while it is sent. If one fails, the connection is cut, as the answer is
 * incomplete.
 */
export function multistatus(
  parts: AsyncIterable<string> | Iterable<string>,
  end = "",
  headers: Record<string, string> = {},
): Response {
  const encoder = new TextEncoder();
  const it = Symbol.asyncIterator in parts
    ? parts[Symbol.asyncIterator]()
    : parts[Symbol.iterator]();
  let begun = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = begun
        ? ""
        : `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus${declarations}>`;
      begun = true;
      for (;;) {
        const next = await it.next();
        if (next.done) {
          controller.enqueue(encoder.encode(`${text}${end}</D:multistatus>\n`));
          controller.close();
          return;
        }
        text += next.value;
        await giveWay();
        if (text.length >= piece) {
          controller.enqueue(encoder.encode(text));
          return;
        }
      }
    },
    async cancel() {
      await it.return?.();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    status: 207,
    headers: { "Content-Type": "application/xml; charset=utf-8", ...headers },
  });
}
