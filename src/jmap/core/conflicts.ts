/**
 * Objects of one /set that conflict: A takes the name of B, and B that of A. Only the state after the whole
 * call must be valid (RFC 8620 §5.3).
 *
 * @module
 */
import { SetError, type SetErrorType } from "./errors.ts";
import { turnTime } from "./limits.ts";

/** A step that can't be done yet, but perhaps after another step of the same call. */
export class ConflictError extends SetError {
  /** Id of the object in the way. */
  readonly holder: string | undefined;
  /** What the type of objects needs, to do it together with what is in the way. */
  readonly wanted: unknown;
  constructor(
    type: SetErrorType,
    description: string,
    o: { holder?: string; wanted?: unknown; more?: Record<string, unknown> } = {},
  ) {
    super(type, description, o.more);
    this.holder = o.holder;
    this.wanted = o.wanted;
  }
}

/** An object, and why it can't be changed yet. */
export interface Waiting {
  objectId: string;
  err: ConflictError;
}

/** A creation, update or destruction of a /set. */
export interface Step {
  /** Id of the changed object; undefined for creations. */
  objectId: string | undefined;
  run(): Promise<void>;
  fail(err: SetError): void;
}

/**
 * Ends that objects wait for each other: each of a circle for the next one, the last one for the first. Either changes
 * all of them at once, or moves the first one's holder, which is the next one, out of the way for a while.
 * @returns puts that back, if it is still where it was moved to
 */
export type MakeRoom = (circle: readonly Waiting[]) => Promise<() => Promise<void>>;

/** How often conflicting steps are retried: bounds the work of one call. Longer chains are refused. */
const maxPasses = 12;

/**
 * Runs steps one after the other; retries conflicting ones, in reverse order, until nothing changes.
 * @param setErrorOf maps what a step has thrown to a SetError; other errors are rethrown
 */
export async function runWithConflicts(
  steps: readonly Step[],
  setErrorOf: (err: unknown) => SetError,
  makeRoom: MakeRoom,
): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  let waiting: { step: Step; err?: ConflictError }[] = steps.map((step) => ({ step }));
  let turn = performance.now();
  for (let pass = 0; pass < maxPasses && waiting.length > 0; pass++) {
    const again: { step: Step; err: ConflictError }[] = [];
    for (const { step } of waiting) {
      try {
        await step.run();
      } catch (thrown) {
        const err = setErrorOf(thrown);
        if (err instanceof ConflictError) again.push({ step, err });
        else step.fail(err);
      }
      if (performance.now() - turn > turnTime) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        turn = performance.now();
      }
    }
    const progress = again.length < waiting.length;
    waiting = again.reverse();
    if (progress || again.length === 0) continue;
    const circle = inCircle(again);
    if (circle === undefined) break;
    undo.push(await makeRoom(circle));
  }
  for (const { step, err } of waiting) step.fail(err!);
  for (const putBack of undo) await putBack();
}

/** Those that wait for each other in a circle. */
function inCircle(
  waiting: readonly { step: Step; err: ConflictError }[],
): Waiting[] | undefined {
  const byId = new Map(waiting.map(({ step, err }) => [step.objectId, err]));
  byId.delete(undefined);
  const seen = new Set<string>();
  for (const start of byId.keys()) {
    const path: Waiting[] = [];
    let at: string | undefined = start;
    while (at !== undefined && !seen.has(at)) {
      seen.add(at);
      const err = byId.get(at);
      if (err === undefined) break;
      path.push({ objectId: at, err });
      at = err.holder;
      const begin = path.findIndex((w) => w.objectId === at);
      if (begin >= 0) return path.slice(begin);
    }
  }
  return undefined;
}
