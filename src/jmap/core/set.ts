/** What all /set methods have in common (RFC 8620 §5.3). @module */
import * as v from "valibot";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { StoreError } from "../../store/types.ts";
import { ConflictError, type MakeRoom, runWithConflicts, type Step } from "./conflicts.ts";
import { MethodError, SetError } from "./errors.ts";
import { maxObjectsInSet } from "./limits.ts";
import type { MethodContext } from "./method.ts";
import { anyObject, id, isId, mapOf } from "./types.ts";

const creations = v.optional(v.nullable(mapOf(id, anyObject)));

/** Arguments of a /set method. */
export const setEntries = {
  accountId: id,
  ifInState: v.optional(v.nullable(v.string())),
  create: creations,
  update: v.optional(v.nullable(mapOf(v.string(), anyObject))),
  destroy: v.optional(v.nullable(v.array(v.string()))),
};
export const setArgs = v.strictObject(setEntries);
export type SetArgs = v.InferOutput<typeof setArgs>;

/** Changes objects of a type; each function throws SetError. */
export interface Setter {
  state(): string | Promise<string>;
  /** Returns the id and the properties that the client doesn't know. */
  create(o: Record<string, unknown>, creationId: string): Promise<Record<string, unknown>>;
  /** Returns properties that changed differently from the client's request; null if none. */
  update(objectId: string, patch: Record<string, unknown>): Promise<Record<string, unknown> | null>;
  destroy(objectId: string): Promise<void>;
  /** Order of creation; as in the arguments if not given. */
  creationOrder?(create: Record<string, Record<string, unknown>>): string[];
  /** Order of destruction. */
  destroyOrder?(ids: string[]): string[];
  /** For types whose objects can conflict, and so are changed one after the other. */
  makeRoom?: MakeRoom;
}

/** The SetError for what a change has thrown; other errors are rethrown. */
export function setErrorOf(err: unknown): SetError {
  if (err instanceof SetError) return err;
  if (isStorageFull(err)) return new SetError("overQuota", "the server's disk is full");
  if (!(err instanceof StoreError)) throw err;
  switch (err.code) {
    case "overQuota":
      return new SetError("overQuota", err.message);
    case "emailMissing":
    case "mailboxMissing":
      return new SetError("notFound", err.message);
    case "tooManyKeywords":
      return new SetError("tooManyKeywords", err.message);
    case "keyword":
      return new SetError("invalidProperties", err.message, { properties: ["keywords"] });
    case "mailboxExists":
      return new SetError("alreadyExists", err.message);
    case "mailboxName":
      return new SetError("invalidProperties", err.message, { properties: ["name"] });
    case "mailboxHasChildren":
      return new SetError("mailboxHasChild", err.message);
    case "inbox":
    case "rights":
      return new SetError("forbidden", err.message);
    case "specialUse":
      return new SetError("invalidProperties", err.message, { properties: ["role"] });
    default:
      throw err;
  }
}

/** Resolves an id or a creation id of this request. Undefined if it wasn't created. */
export function resolveId(ctx: MethodContext, given: string): string | undefined {
  if (!given.startsWith("#")) return given;
  return ctx.createdIds.get(given.slice(1));
}

async function attempt(step: Step): Promise<void> {
  try {
    await step.run();
  } catch (err) {
    step.fail(setErrorOf(err));
  }
}

const nullIfEmpty = <T extends object>(o: T) => Object.keys(o).length === 0 ? null : o;

/**
 * Runs a /set: creations, then updates, then destructions.
 * @throws MethodError stateMismatch, requestTooLarge
 */
export async function runSet(
  ctx: MethodContext,
  args: Pick<SetArgs, "accountId" | "ifInState" | "create" | "update" | "destroy">,
  setter: Setter,
): Promise<Record<string, unknown>> {
  const create = args.create ?? {};
  const update = args.update ?? {};
  const destroy = [...new Set(args.destroy ?? [])];
  const count = Object.keys(create).length + Object.keys(update).length + destroy.length;
  if (count > maxObjectsInSet) {
    throw new MethodError("requestTooLarge", `more than ${maxObjectsInSet} objects`);
  }
  const oldState = await setter.state();
  if (args.ifInState !== null && args.ifInState !== undefined && args.ifInState !== oldState) {
    throw new MethodError("stateMismatch", "the state is another one by now");
  }
  const created: Record<string, unknown> = {};
  const updated: Record<string, unknown> = {};
  const destroyed: string[] = [];
  const notCreated: Record<string, unknown> = {};
  const notUpdated: Record<string, unknown> = {};
  const notDestroyed: Record<string, unknown> = {};
  const idOf = (given: string): string => {
    const objectId = resolveId(ctx, given);
    if (objectId === undefined) throw new ConflictError("notFound", "nothing was created so");
    if (!isId(objectId)) throw notFound();
    return objectId;
  };
  const gone = () => new Set(destroy.map((d) => resolveId(ctx, d)));
  const creations = (setter.creationOrder?.(create) ?? Object.keys(create)).map((key): Step => ({
    objectId: undefined,
    async run() {
      const made = await setter.create(create[key], key);
      created[key] = made;
      ctx.createdIds.set(key, made.id as string);
    },
    fail: (err) => notCreated[key] = err.value(),
  }));
  const updates = Object.entries(update).map(([given, patch]): Step => ({
    objectId: given,
    async run() {
      const objectId = idOf(given);
      if (gone().has(objectId)) {
        throw new SetError("willDestroy", "the same call destroys the object");
      }
      updated[objectId] = await setter.update(objectId, patch);
    },
    fail: (err) => notUpdated[resolveId(ctx, given) ?? given] = err.value(),
  }));
  const removals = (setter.destroyOrder?.(destroy) ?? destroy).map((given): Step => ({
    objectId: given,
    async run() {
      const objectId = idOf(given);
      await setter.destroy(objectId);
      destroyed.push(objectId);
    },
    fail: (err) => notDestroyed[given] = err.value(),
  }));
  if (setter.makeRoom) {
    await runWithConflicts([...creations, ...updates, ...removals], setErrorOf, setter.makeRoom);
  } else {
    for (const step of creations) await attempt(step);
    // Concurrently, so that they share fsyncs.
    await Promise.all(updates.map(attempt));
    if (setter.destroyOrder) { for (const step of removals) await attempt(step); }
    else await Promise.all(removals.map(attempt));
  }
  return {
    accountId: args.accountId,
    oldState,
    newState: await setter.state(),
    created: nullIfEmpty(created),
    updated: nullIfEmpty(updated),
    destroyed: destroyed.length === 0 ? null : destroyed,
    notCreated: nullIfEmpty(notCreated),
    notUpdated: nullIfEmpty(notUpdated),
    notDestroyed: nullIfEmpty(notDestroyed),
  };
}

export function notFound(): SetError {
  return new SetError("notFound", "there is no such object");
}
