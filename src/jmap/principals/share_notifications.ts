/** ShareNotification (RFC 9670 §3): what was shared with a user, or is no longer shared. @module */
import * as v from "valibot";
import { accountIdOf } from "../core/access.ts";
import type { User } from "../core/method.ts";
import {
  conditionReader,
  createdEntries,
  isWithin,
  latestFirst,
} from "../core/notification_query.ts";
import { type Comparator, meets, readFilter } from "../core/query.ts";
import { utcDateOf } from "../core/types.ts";
import { objectId, type StoredObject } from "../objects/store.ts";
import type { JmapServices } from "../services.ts";

/** Most notifications kept for an account; the oldest are removed. */
const maxKept = 500;

export const shareNotificationProperties = [
  "id",
  "created",
  "changedBy",
  "objectType",
  "objectAccountId",
  "objectId",
  "oldRights",
  "newRights",
  "name",
];

export interface ShareNotification {
  created: string;
  changedBy: { name: string; email: string | null; principalId: string | null };
  objectType: string;
  objectAccountId: string;
  objectId: string;
  oldRights: Record<string, boolean> | null;
  newRights: Record<string, boolean> | null;
  name: string;
}

/** Rights by account. */
export type RightsByAccount = ReadonlyMap<string, Record<string, boolean>>;

/** Notifies all accounts whose rights have changed. On disk when it resolves. */
export async function noteShares(
  s: Pick<JmapServices, "config" | "objects">,
  by: User,
  o: { objectType: string; objectId: string; name: string; owner?: string },
  before: RightsByAccount,
  after: RightsByAccount,
): Promise<void> {
  const changedBy = {
    name: s.config.account(by.account)?.FullName || by.login || by.account,
    email: by.login || (s.config.accountAddresses(by.account)[0] ?? null),
    principalId: accountIdOf(by.account),
  };
  for (const account of new Set([...before.keys(), ...after.keys()])) {
    const [oldRights, newRights] = [before.get(account) ?? null, after.get(account) ?? null];
    if (JSON.stringify(oldRights) === JSON.stringify(newRights)) continue;
    const value: ShareNotification = {
      created: utcDateOf(Date.now()),
      changedBy,
      objectType: o.objectType,
      objectAccountId: accountIdOf(o.owner ?? by.account),
      objectId: o.objectId,
      oldRights,
      newRights,
      name: o.name.slice(0, 255),
    };
    await s.objects.add(account, "share", value, maxKept);
  }
}

/** All notifications of an account, by id. */
export function shareNotifications(
  services: JmapServices,
  account: string,
): Map<string, Record<string, unknown>> {
  return new Map(
    services.objects.list<ShareNotification>(account, "share").map(({ id, value }) => {
      const key = objectId("share", id);
      return [key, { id: key, ...value }];
    }),
  );
}

const readCondition = conditionReader(v.strictObject({
  ...createdEntries,
  objectType: v.optional(v.string()),
  objectAccountId: v.optional(v.string()),
}));

/** Ids of those that match a filter, in order. @throws MethodError */
export function queryShareNotifications(
  all: readonly StoredObject<ShareNotification>[],
  q: { filter?: Record<string, unknown> | null; sort?: Comparator[] | null },
): string[] {
  const filter = readFilter(q.filter, readCondition);
  const direction = latestFirst(q.sort) ? -1 : 1;
  return all.filter(({ value }) =>
    meets(filter, (c) =>
      isWithin(value.created, c) &&
      (c.objectType === undefined || c.objectType === value.objectType) &&
      (c.objectAccountId === undefined || c.objectAccountId === value.objectAccountId))
  ).sort((a, b) =>
    direction *
    (a.value.created < b.value.created ? -1 : a.value.created > b.value.created ? 1 : a.id - b.id)
  )
    .map((x) => objectId("share", x.id));
}
