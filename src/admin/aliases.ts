/** Aliases: addresses whose mail goes to several accounts. @module */
import { alias as aliasType } from "../config/dynamic/domain.ts";
import type { Alias, Config, Dynamic } from "../config/mod.ts";
import { splitAddress } from "./addresses.ts";
import { requireDomain } from "./domains.ts";
import { AdminError, changing } from "./errors.ts";

/** Options of an alias; those not given stay as they are. */
export interface AliasOptions {
  postPublic?: boolean;
  listMembers?: boolean;
  allowMsgFrom?: boolean;
}

function setOptions(alias: Alias, o: AliasOptions): void {
  if (o.postPublic !== undefined) alias.PostPublic = o.postPublic;
  if (o.listMembers !== undefined) alias.ListMembers = o.listMembers;
  if (o.allowMsgFrom !== undefined) alias.AllowMsgFrom = o.allowMsgFrom;
}

function find(d: Dynamic, address: string): Alias {
  const { localpart, domain } = splitAddress(address);
  const alias = d.Domains.get(requireDomain(d, domain))!.Aliases.get(localpart);
  if (!alias) throw new AdminError(`no alias ${address}`);
  return alias;
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
    config.writeDynamic((d) => {
      const { Aliases } = d.Domains.get(requireDomain(d, domain))!;
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
  await changing(() => config.writeDynamic((d) => setOptions(find(d, address), options)));
}

/** Removes an alias. @throws AdminError */
export async function removeAlias(config: Config, address: string): Promise<void> {
  const { localpart, domain } = splitAddress(address);
  await changing(() =>
    config.writeDynamic((d) => {
      find(d, address);
      d.Domains.get(requireDomain(d, domain))!.Aliases.delete(localpart);
    })
  );
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
    config.writeDynamic((d) => {
      const alias = find(d, address);
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
    config.writeDynamic((d) => {
      const alias = find(d, address);
      for (const m of members) {
        if (alias.Addresses.includes(m)) {
          throw new AdminError(`${m} is a member of ${address} already`);
        }
        alias.Addresses.push(m);
      }
    })
  );
}

/** Takes members out of an alias; one must be left. @throws AdminError */
export async function removeAliasMembers(
  config: Config,
  address: string,
  members: readonly string[],
): Promise<void> {
  await changing(() =>
    config.writeDynamic((d) => {
      const alias = find(d, address);
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
