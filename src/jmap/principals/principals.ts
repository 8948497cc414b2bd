/** Principal (RFC 9670 §2): the people of this server whom a user may know, and whom things can be shared with. @module */
import { createHash } from "node:crypto";
import { accountIdOf, accountNames } from "../core/access.ts";
import { Capability } from "../core/capabilities.ts";
import type { User } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

export const principalProperties = [
  "id",
  "type",
  "name",
  "description",
  "email",
  "timeZone",
  "capabilities",
  "accounts",
];

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

/** Accounts that a user may know of: those with an address in a domain of their own. */
export function knownAccounts(s: JmapServices, user: string): string[] {
  const mine = new Set(s.config.accountAddresses(user).map(domainOf));
  return [...s.config.dynamic.Accounts.keys()].filter((name) =>
    name === user || s.config.accountAddresses(name).some((a) => mine.has(domainOf(a)))
  );
}

/** The account of a principal; undefined for one that the user doesn't know. */
export function accountOfPrincipal(
  s: JmapServices,
  user: string,
  id: string,
): string | undefined {
  return knownAccounts(s, user).find((name) => accountIdOf(name) === id);
}

function principal(s: JmapServices, user: User, name: string): Record<string, unknown> {
  const address = s.config.accountAddresses(name).find((a) => !a.startsWith("@"));
  const shown = s.config.account(name)?.FullName || address || name;
  const accountId = accountIdOf(name);
  const sees = accountNames(s, user).includes(name);
  return {
    id: accountIdOf(name),
    type: "individual",
    name: shown,
    description: null,
    email: address ?? null,
    timeZone: null,
    capabilities: {
      [Capability.Calendars]: {
        accountId: sees ? accountId : null,
        mayGetAvailability: true,
        mayShareWith: name !== user.account,
        calendarAddress: address === undefined ? null : `mailto:${address}`,
      },
    },
    accounts: sees
      ? { [accountId]: { name: shown, isPersonal: name === user.account, isReadOnly: false } }
      : null,
  };
}

/** All that the user may know, by id. */
export function principals(s: JmapServices, user: User): Map<string, Record<string, unknown>> {
  return new Map(
    knownAccounts(s, user.account).map((name) => [accountIdOf(name), principal(s, user, name)]),
  );
}

export function principalState(s: JmapServices, user: User): string {
  const all = JSON.stringify([...principals(s, user).values()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 16);
}
