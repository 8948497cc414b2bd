/** Principal (RFC 9670 §2): the users of this server whom a user may know and share things with. @module */
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

/** Accounts that a user may know of: those with an address in one of the user's domains. */
export function knownAccounts(services: JmapServices, user: string): string[] {
  const mine = new Set(services.config.accountAddresses(user).map(domainOf));
  return [...services.config.dynamic.Accounts.keys()].filter((name) =>
    name === user || services.config.accountAddresses(name).some((a) => mine.has(domainOf(a)))
  );
}

/** The account of a principal; undefined for one that the user may not know. */
export function accountOfPrincipal(
  services: JmapServices,
  user: string,
  id: string,
): string | undefined {
  return knownAccounts(services, user).find((name) => accountIdOf(name) === id);
}

function principal(services: JmapServices, user: User, name: string): Record<string, unknown> {
  const address = services.config.accountAddresses(name).find((a) => !a.startsWith("@"));
  const shown = services.config.account(name)?.FullName || address || name;
  const accountId = accountIdOf(name);
  const sees = accountNames(services, user).includes(name);
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

/** All principals that the user may know, by id. */
export function principals(
  services: JmapServices,
  user: User,
): Map<string, Record<string, unknown>> {
  return new Map(
    knownAccounts(services, user.account).map((
      name,
    ) => [accountIdOf(name), principal(services, user, name)]),
  );
}

export function principalState(services: JmapServices, user: User): string {
  const all = JSON.stringify([...principals(services, user).values()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 16);
}
