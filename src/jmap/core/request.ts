/**
 * Reading a request (RFC 8620 §3.3): JSON, its form, and the capabilities that it uses.
 *
 * @module
 */
import { HttpError, JsonError, parseJsonBody } from "../../web/http/mod.ts";
import { RequestError } from "./errors.ts";
import { notIJson } from "./i_json.ts";
import { maxCallsInRequest } from "./limits.ts";
import { isId } from "./types.ts";

/** A method call: name, arguments, and the id that its responses have. */
export type Invocation = [name: string, args: Record<string, unknown>, callId: string];

/** A well-formed request. */
export interface JmapRequest {
  using: string[];
  methodCalls: Invocation[];
  createdIds: Record<string, string> | undefined;
}

/** Requests up to this many bytes are checked for what I-JSON forbids, which takes as long as parsing. */
const maxStrict = 128 * 1024;

/** Parses a request's JSON, large ones without holding up others. @throws RequestError notJSON, limit */
export async function parseBody(bytes: Uint8Array): Promise<unknown> {
  // The bytes may be gone once they are parsed.
  const text = bytes.length > maxStrict ? undefined : new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = await parseJsonBody(bytes);
  } catch (cause) {
    throw notJson(cause);
  }
  const wrong = text === undefined ? undefined : notIJson(text);
  if (wrong !== undefined) throw new RequestError("notJSON", `the request is not I-JSON: ${wrong}`);
  return value;
}

function notJson(cause: unknown): unknown {
  if (cause instanceof HttpError && cause.status === 503) {
    return new RequestError("limit", cause.message, {
      status: 503,
      limit: "maxConcurrentRequests",
      cause,
    });
  }
  if (!(cause instanceof JsonError)) return cause;
  return new RequestError("notJSON", cause.message, { cause });
}

function notRequest(detail: string): RequestError {
  return new RequestError("notRequest", detail);
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

/**
 * The request of a JSON value.
 * @param known capabilities available to the user
 * @throws RequestError notRequest, unknownCapability, limit
 */
export function checkRequest(value: unknown, known: ReadonlySet<string>): JmapRequest {
  if (!isObject(value)) throw notRequest("the request is not an object");
  const { using, methodCalls, createdIds } = value;
  if (!Array.isArray(using) || using.some((u) => typeof u !== "string")) {
    throw notRequest("using must be an array of strings");
  }
  if (!Array.isArray(methodCalls)) throw notRequest("methodCalls must be an array");
  for (const [i, call] of methodCalls.entries()) {
    if (
      !Array.isArray(call) || call.length !== 3 || typeof call[0] !== "string" ||
      !isObject(call[1]) || typeof call[2] !== "string"
    ) {
      throw notRequest(
        `methodCalls[${i}] is not an array of a name, an object of arguments and a call id`,
      );
    }
  }
  if (createdIds !== undefined && createdIds !== null) {
    if (
      !isObject(createdIds) ||
      Object.entries(createdIds).some(([k, id]) => !isId(k) || typeof id !== "string" || !isId(id))
    ) {
      throw notRequest("createdIds must be an object of ids");
    }
  }
  for (const u of using as string[]) {
    if (!known.has(u)) {
      throw new RequestError("unknownCapability", `there is no capability ${u.slice(0, 200)} here`);
    }
  }
  if (methodCalls.length > maxCallsInRequest) {
    throw new RequestError("limit", `a request can have ${maxCallsInRequest} method calls`, {
      limit: "maxCallsInRequest",
    });
  }
  return {
    using: using as string[],
    methodCalls: methodCalls as Invocation[],
    createdIds: (createdIds ?? undefined) as Record<string, string> | undefined,
  };
}
