/** The quota of an account (RFC 9425). @module */
import type { Account, QuotaUse } from "../../store/account/account.ts";

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

/** The quotas with a limit: bytes, messages, mailboxes. */
export function quotaObjects(account: Account): Map<string, Record<string, unknown>> {
  const objects = new Map<string, Record<string, unknown>>();
  for (const [id, resourceType, type, use] of quotas(account)) {
    objects.set(id, {
      id,
      resourceType,
      used: use.used,
      hardLimit: use.limit,
      scope: "account",
      name: id === "size" ? account.name : `${account.name}, ${id}`,
      types: [type],
      warnLimit: null,
      softLimit: null,
      description: null,
    });
  }
  return objects;
}

/** Use and limit of each. */
export function quotaState(account: Account): string {
  const state = quotas(account).map(([id, , , { used, limit }]) =>
    id === "size" ? `${used}-${limit}` : `${id}-${used}-${limit}`
  );
  return state.length === 0 ? "none" : state.join(".");
}

/** Ids with use and limit from a state; undefined if invalid. */
function parseState(state: string): Map<string, [used: string, limit: string]> | undefined {
  const parts = new Map<string, [string, string]>();
  if (state === "none") return parts;
  for (const part of state.split(".", 4)) {
    const m = /^(?:(messages|mailboxes)-)?(\d{1,16})-(\d{1,16})$/.exec(part);
    if (!m) return undefined;
    parts.set(m[1] ?? "size", [m[2], m[3]]);
  }
  return parts;
}

/** The differences between two states of {@link quotaState}; undefined if `from` is invalid. */
export function quotaDifference(from: string, to: string): {
  created: string[];
  updated: string[];
  destroyed: string[];
  /** Whether limits have changed too. */
  limits: boolean;
} | undefined {
  const old = parseState(from), now = parseState(to);
  if (!old || !now) return undefined;
  const both = [...now.keys()].filter((id) => old.has(id));
  const differs = (i: 0 | 1) => both.filter((id) => now.get(id)![i] !== old.get(id)![i]);
  return {
    created: [...now.keys()].filter((id) => !old.has(id)),
    updated: both.filter((id) => now.get(id)!.join() !== old.get(id)!.join()),
    destroyed: [...old.keys()].filter((id) => !now.has(id)),
    limits: differs(1).length > 0,
  };
}

type Quota = readonly [id: string, resourceType: "octets" | "count", type: string, use: QuotaUse];

function quotas(account: Account): Quota[] {
  const { used, limit } = account.quota().messageSize;
  const { messages, mailboxes } = account.quotaCounts();
  const list: Quota[] = [];
  if (limit !== undefined) list.push(["size", "octets", "Email", { used, limit }]);
  if (messages) list.push(["messages", "count", "Email", messages]);
  if (mailboxes) list.push(["mailboxes", "count", "Mailbox", mailboxes]);
  return list;
}
