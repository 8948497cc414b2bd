/** Reading requests of the web API: JSON, or forms with the JSON in the field "request". @module */
import * as v from "valibot";
import { HttpError, JsonError, parseJsonBody, type WebRequest } from "../http/mod.ts";
import { ApiError } from "./errors.ts";
import { formContent } from "./large_form.ts";
import type { Method } from "./schemas.ts";
import { requestHash } from "./seen_requests.ts";

function malformed(message: string, cause?: unknown): ApiError {
  return new ApiError("protocol", message, { cause });
}

async function readJson(body: Uint8Array): Promise<unknown> {
  try {
    return await parseJsonBody(body);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw malformed(cause.message, cause);
  }
}

async function readForm(type: string, bytes: Uint8Array, method: Method): Promise<unknown> {
  const form = await formContent(type, bytes);
  if ("problem" in form) throw malformed(form.problem);
  const { json: request, files } = form;
  if (files.length === 0) return request;
  if (!method.files) throw malformed("this method takes no files");
  if (typeof request !== "object" || request === null) throw malformed("the request is no object");
  const all: Record<string, unknown> = { ...request };
  for (const [name, list] of files) {
    all[name] = [...(Array.isArray(all[name]) ? all[name] as unknown[] : []), ...list];
  }
  return all;
}

/** The fault of a request, described for the client's developer. */
function complaint(issue: v.BaseIssue<unknown>): string {
  const at = v.getDotPath(issue);
  if (issue.type === "strict_object" && at !== null) {
    return issue.expected === "never" ? `there is no field ${at}` : `the field ${at} is missing`;
  }
  return `${at === null ? "" : `${at}: `}${issue.message}`;
}

/**
 * Reads and checks a request's body.
 * @returns the checked request and the hash of its bytes
 * @throws ApiError "protocol" for what can't be read, "user" for what doesn't fit
 */
export async function readRequest(
  req: WebRequest,
  method: Method,
  maxBytes: number,
): Promise<{ request: unknown; hash: string }> {
  let bytes: Uint8Array;
  try {
    bytes = await req.body(maxBytes);
  } catch (cause) {
    if (cause instanceof HttpError && cause.status === 413) {
      throw new ApiError("messageTooLarge", cause.message, { cause, status: 413 });
    }
    throw cause;
  }
  const type = req.headers.get("content-type") ?? "";
  // They are gone once they have been read.
  const hash = await requestHash(bytes);
  const kind = type.split(";", 1)[0].trim().toLowerCase();
  let json: unknown;
  if (kind === "application/json") {
    json = await readJson(bytes);
  } else if (kind === "application/x-www-form-urlencoded" || kind === "multipart/form-data") {
    json = await readForm(type, bytes, method);
  } else {
    throw malformed(
      "the body must be application/json, application/x-www-form-urlencoded or multipart/form-data",
    );
  }
  // If all fields are optional, a list would pass as an object.
  if (Array.isArray(json)) throw malformed("the request is a list, not an object");
  const parsed = v.safeParse(method.request, json);
  if (!parsed.success) {
    throw new ApiError("user", complaint(parsed.issues[0]));
  }
  return { request: parsed.output, hash };
}
