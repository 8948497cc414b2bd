/**
 * Running a request: method calls one after the other, each with its response or error.
 *
 * @module
 */
import * as v from "valibot";
import type { Log } from "../../log/mod.ts";
import { counter, countPanic } from "../../metrics/mod.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { StoreError } from "../../store/types.ts";
import type { JmapServices } from "../services.ts";
import { AccountAccess } from "./access.ts";
import { MethodError } from "./errors.ts";
import { turnTime } from "./limits.ts";
import type { Method, MethodContext, User } from "./method.ts";
import { resolveReferences } from "./references.ts";
import type { Invocation, JmapRequest } from "./request.ts";
import { complaint } from "./types.ts";

/** The response to a request, without the session's state. */
export interface JmapResponse {
  methodResponses: Invocation[];
  createdIds?: Record<string, string>;
}

const calls = counter("mox_jmap_method_calls_total", "Method calls of JMAP, by result.", {
  result: ["ok", "error", "panic"],
});

/** The methods of this server, by name. */
export type MethodTable = ReadonlyMap<string, Method>;

/** Runs a request's method calls. Never throws because of a method. */
export async function runRequest(
  services: JmapServices,
  table: MethodTable,
  user: User,
  request: JmapRequest,
  o: { log: Log; signal: AbortSignal },
): Promise<JmapResponse> {
  const responses: Invocation[] = [];
  const createdIds = new Map(Object.entries(request.createdIds ?? {}));
  const using = new Set(request.using);
  const access = new AccountAccess(services, user);
  let turn = performance.now();
  try {
    const pending = [...request.methodCalls];
    /** Calls made by other methods: the client needn't use their capability. */
    const made = new Set<Invocation>();
    while (pending.length > 0) {
      const invocation = pending.shift()!;
      const [name, args, callId] = invocation;
      const also: Invocation[] = [];
      const implicit: Invocation[] = [];
      const ctx: MethodContext = {
        s: services,
        user,
        using,
        createdIds,
        log: o.log,
        signal: o.signal,
        access: (id, a) => access.open(id, a),
        also: (n, r) => also.push([n, r, callId]),
        implicit(n, r) {
          const next: Invocation = [n, r, callId];
          made.add(next);
          implicit.push(next);
        },
      };
      try {
        const method = methodOf(table, made.has(invocation) ? undefined : using, name);
        const response = await call(method, ctx, responses, args);
        responses.push([name, response, callId], ...also);
        pending.unshift(...implicit);
        calls.inc({ result: "ok" });
      } catch (err) {
        responses.push(["error", errorOf(err, name, o.log).response(), callId]);
      }
      if (o.signal.aborted) break;
      if (performance.now() - turn > turnTime) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        turn = performance.now();
      }
    }
  } finally {
    access.close();
  }
  return {
    methodResponses: responses,
    ...request.createdIds === undefined ? {} : { createdIds: Object.fromEntries(createdIds) },
  };
}

/**
 * The method of a name.
 * @param using capabilities of the request; undefined if no capability is required
 * @throws MethodError unknownMethod
 */
function methodOf(
  table: MethodTable,
  using: ReadonlySet<string> | undefined,
  name: string,
): Method {
  const method = table.get(name);
  if (method === undefined) {
    throw new MethodError("unknownMethod", `there is no method ${name.slice(0, 200)}`);
  }
  // RFC 8620 §3.3: capabilities not listed in "using" don't exist for the request.
  if (using !== undefined && !using.has(method.capability)) {
    throw new MethodError("unknownMethod", `${name} needs ${method.capability} in using`);
  }
  return method;
}

async function call(
  method: Method,
  ctx: MethodContext,
  responses: readonly Invocation[],
  args: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const resolved = resolveReferences(args, responses);
  const parsed = v.safeParse(method.args, resolved, { abortEarly: true });
  if (!parsed.success) throw new MethodError("invalidArguments", complaint(parsed.issues[0]));
  return await method.run(ctx, parsed.output);
}

/** The error to answer with; unexpected ones are logged. */
function errorOf(err: unknown, method: string, log: Log): MethodError {
  if (err instanceof MethodError) {
    calls.inc({ result: "error" });
    return err;
  }
  if (err instanceof StoreError) {
    calls.inc({ result: "error" });
    if (err.code === "rights") return new MethodError("forbidden", err.message, { cause: err });
    if (err.code === "closed") {
      return new MethodError("serverUnavailable", err.message, { cause: err });
    }
  }
  if (isStorageFull(err)) {
    calls.inc({ result: "error" });
    log.error("method can't be carried out", { method, err: err as Error });
    return new MethodError("serverUnavailable", "the server's disk is full", { cause: err });
  }
  calls.inc({ result: "panic" });
  countPanic("jmap");
  log.error("unhandled error in a method", {
    method,
    err: err instanceof Error ? err : new Error(String(err)),
    stack: err instanceof Error ? err.stack : undefined,
  });
  return new MethodError("serverFail", "something went wrong in the server; its log says more", {
    cause: err,
  });
}
