/**
 * The page's side of the calls: typed by the table in calls.ts, with the answers checked against it.
 *
 * @module
 */
import * as v from "valibot";
import { ErrorAnswer, type ErrorCode } from "./basics.ts";
import {
  type CallName,
  type CallRequest,
  type CallResponse,
  calls,
  type CallSchemas,
} from "./calls.ts";

/** A call that was refused or got no answer. The message can be shown to people. */
export class CallError extends Error {
  override name = "CallError";
  /**
   * "secondFactor": Login needs a one-time code (or a different one); "network": there was no answer; "answer": the
   * answer doesn't fit its schema.
   */
  readonly code: ErrorCode | "secondFactor" | "network" | "answer";
  constructor(code: CallError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Where and how calls are made; for tests and other pages. */
export interface CallOptions {
  /** Before `api/`: "" for the page's own folder. */
  base?: string;
  signal?: AbortSignal;
  fetch?: typeof fetch;
  headers?: Record<string, string>;
}

/** Makes a webmail call. @throws CallError */
export function call<N extends CallName>(
  name: N,
  request: CallRequest<N>,
  options: CallOptions = {},
): Promise<CallResponse<N>> {
  return makeCall(calls, name, request, options) as Promise<CallResponse<N>>;
}

/** Makes a call of any page's table. @throws CallError */
export async function makeCall<C extends Record<string, CallSchemas>, N extends keyof C & string>(
  table: C,
  name: N,
  request: v.InferInput<C[N]["request"]>,
  options: CallOptions = {},
): Promise<v.InferOutput<C[N]["response"]>> {
  let response: Response;
  let body: unknown;
  try {
    response = await (options.fetch ?? fetch)(`${options.base ?? ""}api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-mox-request": "1", ...options.headers },
      body: JSON.stringify(request),
      signal: options.signal,
      credentials: "same-origin",
    });
    body = await response.json();
  } catch (err) {
    throw new CallError("network", "The server can't be reached.", { cause: err });
  }
  if (!response.ok) {
    const refused = v.safeParse(ErrorAnswer, body);
    if (!refused.success) throw new CallError("answer", `The server answered ${response.status}.`);
    const { code, message } = refused.output.error;
    throw new CallError(
      response.headers.has("x-mox-second-factor") ? "secondFactor" : code,
      message,
    );
  }
  const checked = v.safeParse(table[name].response, body);
  if (!checked.success) {
    const issue = checked.issues[0];
    throw new CallError(
      "answer",
      `The server's answer to ${name} is wrong at ${
        v.getDotPath(issue) ?? "its top"
      }: ${issue.message}`,
    );
  }
  return checked.output;
}
