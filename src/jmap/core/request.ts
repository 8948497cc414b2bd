/**
 * Reading a request (RFC 8620 §3.3): JSON, its form, and the capabilities that it uses.
 *
 * @module
 */
import { RequestError } from "./errors.ts";
import { maxCallsInRequest, maxJsonDepth } from "./limits.ts";
import { isId } from "./types.ts";

/** A method call: name, arguments, and the id that its responses have. */
export type Invocation = [name: string, args: Record<string, unknown>, callId: string];

/** A request whose form is right. */
export interface JmapRequest {
  using: string[];
  methodCalls: Invocation[];
  createdIds: Record<string, string> | undefined;
}

/** Arrays and objects that stand in each other at the deepest place, up to more than is allowed. */
function tooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 92) i++;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 123 || c === 91) {
      if (++depth > maxJsonDepth) return true;
    } else if (c === 125 || c === 93) depth--;
  }
  return false;
}

/** JSON of a request as it came. @throws RequestError notJSON */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RequestError("notJSON", "the request is not UTF-8", { cause });
  }
  return parseJsonText(text);
}

/** The same of text. @throws RequestError notJSON */
export function parseJsonText(text: string): unknown {
  if (tooDeep(text)) {
    throw new RequestError("notJSON", `values are nested more than ${maxJsonDepth} levels deep`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RequestError("notJSON", `the request is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  return value;
}

function notRequest(detail: string): RequestError {
  return new RequestError("notRequest", detail);
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

/**
 * The request of a JSON value.
 * @param known capabilities that this server has for the user
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
