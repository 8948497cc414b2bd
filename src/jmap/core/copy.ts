/** What all /copy methods have in common (RFC 8620 §5.4). @module */
import * as v from "valibot";
import { MethodError } from "./errors.ts";
import type { Access, MethodContext } from "./method.ts";
import { notFound, runSet } from "./set.ts";
import { anyObject, id, mapOf } from "./types.ts";

export const copyArgs = v.strictObject({
  fromAccountId: id,
  ifFromInState: v.optional(v.nullable(v.string())),
  accountId: id,
  ifInState: v.optional(v.nullable(v.string())),
  create: mapOf(id, anyObject),
  onSuccessDestroyOriginal: v.optional(v.nullable(v.boolean())),
  destroyFromIfInState: v.optional(v.nullable(v.string())),
});
export type CopyArgs = v.InferOutput<typeof copyArgs>;

/** The account to copy from. @throws MethodError fromAccountNotFound */
export async function fromAccount(ctx: MethodContext, accountId: string): Promise<Access> {
  try {
    return await ctx.access(accountId);
  } catch (err) {
    if (err instanceof MethodError && err.type === "accountNotFound") {
      throw new MethodError("fromAccountNotFound", "there is no such account", { cause: err });
    }
    throw err;
  }
}

/**
 * Carries out a /copy.
 * @param read returns the object of an id in the source account, without account-specific properties; undefined
 * if missing
 */
export async function runCopy(
  ctx: MethodContext,
  args: CopyArgs,
  o: {
    setMethod: string;
    fromState: () => string;
    state: () => string;
    read: (id: string) => Promise<Record<string, unknown> | undefined>;
    create: (value: Record<string, unknown>) => Promise<Record<string, unknown>>;
  },
): Promise<Record<string, unknown>> {
  if (args.ifFromInState && args.ifFromInState !== o.fromState()) {
    throw new MethodError("stateMismatch", "the state of the other account is another by now");
  }
  const r = await runSet(ctx, args, {
    state: o.state,
    async create({ id, ...changes }) {
      const original = typeof id === "string" ? await o.read(id) : undefined;
      if (original === undefined) throw notFound();
      return await o.create({ ...original, ...changes });
    },
    update: () => Promise.resolve(null),
    destroy: () => Promise.resolve(),
  });
  const done = Object.keys(r.created ?? {}).map((k) => args.create[k].id as string);
  if (args.onSuccessDestroyOriginal && done.length > 0) {
    ctx.implicit(o.setMethod, {
      accountId: args.fromAccountId,
      ifInState: args.destroyFromIfInState ?? null,
      destroy: done,
    });
  }
  const { accountId, oldState, newState, created, notCreated } = r;
  return { fromAccountId: args.fromAccountId, accountId, oldState, newState, created, notCreated };
}
