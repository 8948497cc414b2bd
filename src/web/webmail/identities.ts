/** Addresses that an account sends from. @module */
import type { Address } from "../../../webmail/api/mod.ts";
import type { Config } from "../../config/mod.ts";

/** Addresses with their names, the login address first; and domains that belong entirely to the account. */
export function identities(
  config: Config,
  account: string,
  loginAddress: string,
): { addresses: Address[]; catchallDomains: string[] } {
  const settings = config.account(account);
  const addresses: Address[] = [];
  const catchallDomains: string[] = [];
  for (const address of config.accountAddresses(account)) {
    if (address.startsWith("@")) {
      catchallDomains.push(address.slice(1));
      continue;
    }
    const own = settings?.Destinations.get(address)?.FullName ?? "";
    addresses.push({ name: own || (settings?.FullName ?? ""), address });
  }
  const login = loginAddress.toLowerCase();
  const first = addresses.findIndex((a) => a.address.toLowerCase() === login);
  if (first > 0) addresses.unshift(...addresses.splice(first, 1));
  for (const address of config.delegatedAddresses(account)) {
    const owner = config.account(config.accountFor(address) ?? "");
    addresses.push({
      name: owner?.Destinations.get(address)?.FullName || (owner?.FullName ?? ""),
      address,
    });
  }
  return { addresses, catchallDomains };
}

/** Mailboxes of an account that hold refused messages. */
export function rejectsMailboxes(config: Config, account: string): string[] {
  const settings = config.account(account);
  return settings?.RejectsMailbox ? [settings.RejectsMailbox] : [];
}
