/**
 * Answers made smaller. The event stream is left as it is: each event has to leave at once, and neither
 * of the runtime's compressors says reliably when all of a text has come out.
 *
 * @module
 */
import type { WebRequest } from "../http/mod.ts";

/** True if the client accepts gzip. */
function takesGzip(req: WebRequest): boolean {
  return (req.headers.get("accept-encoding") ?? "").toLowerCase().split(",").some((e) => {
    const [name, ...params] = e.split(";").map((s) => s.trim());
    return name === "gzip" && !params.some((p) => /^q=0(?:\.0*)?$/.test(p));
  });
}

/** The answer compressed, if it is text and the client accepts gzip. */
export function compressed(req: WebRequest, response: Response): Response {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || !/^(?:application\/json|text\/)/.test(type) || !takesGzip(req)) {
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("Content-Encoding", "gzip");
  headers.delete("Content-Length");
  headers.append("Vary", "Accept-Encoding");
  const body = response.body.pipeThrough(new CompressionStream("gzip"));
  return new Response(body, { status: response.status, headers });
}
