/** Requests over HTTP (RFC 8620 §3). @module */
import type { WebRequest } from "../../web/http/mod.ts";
import { HttpError, jsonResponse } from "../../web/http/mod.ts";
import { RequestError } from "../core/errors.ts";
import { maxSizeRequest } from "../core/limits.ts";
import type { User } from "../core/method.ts";
import { packAnswer } from "../core/packing.ts";
import { checkRequest, parseBody } from "../core/request.ts";
import { runRequest } from "../core/run.ts";
import type { JmapServices } from "../services.ts";
import { methodTable } from "../table.ts";
import { knownCapabilities, sessionState } from "./session.ts";

/** The answer for an error of a whole request. */
export function problemResponse(err: RequestError): Response {
  const r = jsonResponse(err.status, err.problem());
  r.headers.set("Content-Type", "application/problem+json");
  return r;
}

async function readBody(req: WebRequest): Promise<Uint8Array> {
  const type = (req.headers.get("content-type") ?? "").split(";", 1)[0].trim().toLowerCase();
  if (type !== "application/json") {
    throw new RequestError("notJSON", "the request's Content-Type is not application/json");
  }
  try {
    return await req.body(maxSizeRequest);
  } catch (cause) {
    if (!(cause instanceof HttpError) || cause.status !== 413) throw cause;
    throw new RequestError("limit", `a request can have ${maxSizeRequest} bytes`, {
      limit: "maxSizeRequest",
      cause,
    });
  }
}

/** An answer of JSON in pieces. */
function answerOf(pieces: Uint8Array<ArrayBuffer>[]): Response {
  const headers = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Length": String(pieces.reduce((sum, p) => sum + p.length, 0)),
  };
  if (pieces.length === 1) return new Response(pieces[0], { headers });
  let at = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(to) {
      if (at < pieces.length) to.enqueue(pieces[at++]);
      if (at >= pieces.length) to.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers });
}

/** Answers a POST to the API. */
export async function answerApi(
  services: JmapServices,
  user: User,
  req: WebRequest,
): Promise<Response> {
  try {
    const value = await parseBody(await readBody(req));
    const request = checkRequest(value, knownCapabilities(services, user));
    const response = await runRequest(services, methodTable, user, request, req);
    const { methodResponses, ...rest } = response;
    const state = sessionState(services, user);
    return answerOf(await packAnswer(methodResponses, { ...rest, sessionState: state }));
  } catch (err) {
    if (err instanceof RequestError) return problemResponse(err);
    throw err;
  }
}
