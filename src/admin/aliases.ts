/** Aliases: addresses whose mail goes to several accounts. @module */
import { alias as aliasType } from "../config/dynamic/domain.ts";
import type { Alias, Config, Dynamic } from "../config/mod.ts";
import { localpartKey, splitAddress } from "./addresses.ts";
import { requireDomain } from "./domains.ts";
import { AdminError, changing } from "./errors.ts";

/** Options of an alias; those not given are unchanged. */
export interface AliasOptions {
  postPublic?: boolean;
  listMembers?: boolean;
  allowMsgFrom?: boolean;
}

function setOptions(alias: Alias, options: AliasOptions): void {
  if (options.postPublic !== undefined) alias.PostPublic = options.postPublic;
  if (options.listMembers !== undefined) alias.ListMembers = options.listMembers;
  if (options.allowMsgFrom !== undefined) alias.AllowMsgFrom = options.allowMsgFrom;
}

function find(
  dynamic: Dynamic,
  address: string,
): { alias: Alias; remove: () => void } {
  const { localpart, domain } = splitAddress(address);
  const { Aliases, LocalpartCaseSensitive } = dynamic.Domains.get(requireDomain(dynamic, domain))!;
  const key = localpartKey(Aliases, localpart, LocalpartCaseSensitive);
  if (key === undefined) throw new AdminError(`no alias ${address}`);
  return { alias: Aliases.get(key)!, remove: () => void Aliases.delete(key) };
}

/** Adds an alias with its members. @throws AdminError */
export async function addAlias(
  config: Config,
  address: string,
  members: readonly string[],
  options: AliasOptions = {},
): Promise<void> {
  const { localpart, domain } = splitAddress(address);
  if (members.length === 0) throw new AdminError("an alias has at least one member");
  await changing(() =>
    config.writeDynamic((value) => {
      const { Aliases } = value.Domains.get(requireDomain(value, domain))!;
      if (Aliases.has(localpart)) throw new AdminError(`alias ${address} is there already`);
      const alias = { ...aliasType.zero(), Addresses: [...members] };
      setOptions(alias, options);
      Aliases.set(localpart, alias);
    })
  );
}

/** Changes options of an alias. @throws AdminError */
export async function updateAlias(
  config: Config,
  address: string,
  options: AliasOptions,
): Promise<void> {
  await changing(() => config.writeDynamic((d) => setOptions(find(d, address).alias, options)));
}

/** Removes an alias. @throws AdminError */
export async function removeAlias(config: Config, address: string): Promise<void> {
  await changing(() => config.writeDynamic((value) => find(value, address).remove()));
}

/** Sets members and options of an alias. @throws AdminError */
export async function setAliasMembers(
  config: Config,
  address: string,
  members: readonly string[],
  options: AliasOptions,
): Promise<void> {
  if (members.length === 0) throw new AdminError("an alias has at least one member");
  await changing(() =>
    config.writeDynamic((value) => {
      const { alias } = find(value, address);
      alias.Addresses = [...members];
      setOptions(alias, options);
    })
  );
}

/** Adds members to an alias. @throws AdminError */
export async function addAliasMembers(
  config: Config,
  address: string,
  members: readonly string[],
): Promise<void> {
  await changing(() =>
    config.writeDynamic((value) => {
      const { alias } = find(value, address);
      for (const m of members) {
        if (alias.Addresses.includes(m)) {
          throw new AdminError(`${m} is a member of ${address} already`);
        }
        alias.Addresses.push(m);
      }
    })
  );
}

/** Removes members from an alias; at least one must remain. @throws AdminError */
export async function removeAliasMembers(
  config: Config,
  address: string,
  members: readonly string[],
): Promise<void> {
  await changing(() =>
    config.writeDynamic((value) => {
      const { alias } = find(value, address);
      for (const m of members) {
        if (!alias.Addresses.includes(m)) {
          throw new AdminError(`${m} is not a member of ${address}`);
        }
      }
      alias.Addresses = alias.Addresses.filter((a) => !members.includes(a));
      if (alias.Addresses.length === 0) {
        throw new AdminError("an alias has at least one member: remove the alias instead");
      }
    })
  );
}
