/**
 * A method: its name, the capability it belongs to, the schema of its arguments, and what it does.
 *
 * @module
 */
import type * as v from "valibot";
import type { Log } from "../../log/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { JmapServices } from "../services.ts";
import type { CapabilityName } from "./capabilities.ts";

/** The requesting user. */
export interface User {
  /** Name of the user's own account. */
  account: string;
  /** Address used to log in. */
  login: string;
}

/** A user who has just logged in. */
export interface LoggedInUser extends User {
  /** The credential used: see ServerStep of sasl. */
  credential: string;
}

/** An account as accessible to a request's user. */
export interface Access {
  id: string;
  account: Account;
  /** The user's own account. */
  own: boolean;
  user: User;
}

/** The context of a method call. */
export interface MethodContext {
  readonly s: JmapServices;
  readonly user: User;
  readonly using: ReadonlySet<string>;
  /** Creation ids of the request with their ids (RFC 8620 §3.3). */
  readonly createdIds: Map<string, string>;
  readonly log: Log;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /**
   * An account by its id; open until the request is done.
   * @throws MethodError accountNotFound, accountNotSupportedByMethod
   */
  access(accountId: string, o?: { own?: boolean }): Promise<Access>;
  /** Adds a response after the method's own (RFC 8621 §7.5). */
  also(name: string, args: Record<string, unknown>): void;
  /** Runs another method as part of this one; its response follows this one's. */
  implicit(name: string, args: Record<string, unknown>): void;
}

/** A method in the table. */
export interface Method {
  readonly name: string;
  readonly capability: CapabilityName;
  readonly args: v.GenericSchema<unknown, unknown>;
  /** Answers with the arguments of the response; the arguments have been checked. @throws MethodError */
  run(
    ctx: MethodContext,
    args: unknown,
  ): Record<string, unknown> | Promise<Record<string, unknown>>;
}

/** Defines a method whose arguments have their schema's type. */
export function defineMethod<S extends v.GenericSchema<unknown, unknown>>(m: {
  name: string;
  capability: CapabilityName;
  args: S;
  run(
    ctx: MethodContext,
    args: v.InferOutput<S>,
  ): Record<string, unknown> | Promise<Record<string, unknown>>;
}): Method {
  return { ...m, run: (ctx, args) => m.run(ctx, args as v.InferOutput<S>) };
}
