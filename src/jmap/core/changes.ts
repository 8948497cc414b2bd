/** What all /changes and /queryChanges methods have in common (RFC 8620 §5.2, §5.6). @module */
import * as v from "valibot";
import { type Event, oldest } from "../../store/emails/changes.ts";
import { MethodError } from "./errors.ts";
import { id, positiveInt } from "./types.ts";

/** Most changes per response, and the default if the client sets no limit. */
export const mostChanges = 10_000;

export const changesArgs = v.strictObject({
  accountId: id,
  sinceState: v.string(),
  maxChanges: v.optional(v.nullable(positiveInt)),
});

export type ChangesResponse = {
  accountId: string;
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: string[];
  updated: string[];
  destroyed: string[];
};

/** The response for events of objects. @param now the state after all of them */
export function changesResponse(
  args: { accountId: string; sinceState: string; maxChanges?: number | null },
  events: readonly Event[],
  now: number,
  idOf: (n: number) => string,
): ChangesResponse {
  const part = oldest(events, Math.min(args.maxChanges ?? mostChanges, mostChanges), now);
  const of = (kind: Event["kind"]) =>
    part.events.filter((e) => e.kind === kind).map((e) => idOf(e.order));
  return {
    accountId: args.accountId,
    oldState: args.sinceState,
    newState: part.newState,
    hasMoreChanges: part.hasMore,
    created: of("created"),
    updated: of("updated"),
    destroyed: of("destroyed"),
  };
}

/** Error for a state that is unknown, or too old. */
export function cannotCalculate(): MethodError {
  return new MethodError(
    "cannotCalculateChanges",
    "it is not known what changed since that state; get everything anew",
  );
}
