/** The quota of an account (RFC 9425). @module */
import type { Account } from "../../store/account/account.ts";

export const quotaProperties = [
  "id",
  "resourceType",
  "used",
  "hardLimit",
  "scope",
  "name",
  "types",
  "warnLimit",
  "softLimit",
  "description",
];

/** The one quota, of bytes; none without a limit. */
export function quotaObjects(account: Account): Map<string, Record<string, unknown>> {
  const { used, limit } = account.quota().messageSize;
  const objects = new Map<string, Record<string, unknown>>();
  if (limit === undefined) return objects;
  objects.set("size", {
    id: "size",
    resourceType: "octets",
    used,
    hardLimit: limit,
    scope: "account",
    name: account.name,
    types: ["Email"],
    warnLimit: null,
    softLimit: null,
    description: null,
  });
  return objects;
}

/** What is used, and what may be. */
export function quotaState(account: Account): string {
  const { used, limit } = account.quota().messageSize;
  return limit === undefined ? "none" : `${used}-${limit}`;
}
