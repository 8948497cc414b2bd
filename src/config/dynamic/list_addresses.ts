/** The addresses of mailing lists in the index: which ones are allowed, and finding them. @module */
import {
  type AddressIndex,
  addressKey,
  canonicalLocalpart,
  type DomainEntry,
  memberAddress,
  outsideAddress,
} from "./addresses.ts";
import {
  type ListAddress,
  listSuffixes,
  type MailingList,
  maxListLocalpart,
  type ResolvedList,
} from "./mailing_list.ts";
import { NameError, parseLocalpart } from "../names.ts";
import type { PathReport } from "../sconf/schema.ts";

/** Adds the lists of all domains. */
export function addLists(index: AddressIndex, report: PathReport): void {
  for (const entry of index.domains.values()) {
    for (const [localpart, list] of entry.config.Lists) {
      // Its mail comes here, even if no account has an address there.
      entry.reportsOnly = false;
      addList(index, entry, localpart, list, report);
    }
  }
}

function addList(
  index: AddressIndex,
  entry: DomainEntry,
  text: string,
  config: MailingList,
  report: PathReport,
): void {
  const path = ["Domains", entry.name.unicode, "Lists", text];
  let localpart: string;
  try {
    localpart = parseLocalpart(text).toLowerCase();
  } catch (err) {
    // Reported with the form of the value.
    if (!(err instanceof NameError)) throw err;
    return;
  }
  if (!/^[a-z0-9._-]+$/.test(localpart)) {
    report(path, "the name of a list has letters of ASCII, digits, and . _ - only");
    return;
  }
  if (localpart.length > maxListLocalpart) {
    report(path, `the name of a list has ${maxListLocalpart} characters at most`);
    return;
  }
  const separator = entry.separators.find((sep) => localpart.includes(sep) || sep === "-");
  if (separator !== undefined) {
    report(
      path,
      `the addresses of the list have the separator ${JSON.stringify(separator)} of its domain`,
    );
    return;
  }
  if (config.Owners.length === 0) report([...path, "Owners"], "a list needs an owner");
  const list: ResolvedList = {
    key: addressKey(localpart, entry.name),
    localpart,
    domain: entry.name,
    config,
  };
  const own = new Set(["", ...listSuffixes.map(([suffix]) => suffix)].map((s) => localpart + s));
  config.Owners.forEach((owner, i) => {
    const at = owner.lastIndexOf("@");
    if (owner.slice(at + 1).toLowerCase() === entry.name.ascii && own.has(owner.slice(0, at))) {
      report([...path, "Owners", i], "a list can't be an owner of itself");
    }
    const elsewhere = outsideAddress(index, owner);
    if (elsewhere === undefined && !memberAddress(index, owner)) {
      report([...path, "Owners", i], `${owner} is not an address of an account here`);
    }
  });
  for (const [suffix, role] of [["", "post"], ...listSuffixes] as const) {
    const key = addressKey(localpart + suffix, entry.name);
    const owner = index.destinations.get(key);
    const taken = owner
      ? `that of account ${owner.account}`
      : index.aliases.has(key)
      ? "an alias"
      : index.lists.has(key)
      ? `one of the list ${index.lists.get(key)!.list.localpart}`
      : undefined;
    if (taken !== undefined) {
      report(path, `the address ${localpart}${suffix}@${entry.name.unicode} is ${taken} already`);
      continue;
    }
    index.lists.set(key, { list, role });
  }
}

/** The list that an address belongs to; case doesn't matter, and the part after a + is a token. */
export function findList(
  index: AddressIndex,
  localpart: string,
  entry: DomainEntry,
): ListAddress | undefined {
  if (index.lists.size === 0) return undefined;
  const lower = localpart.toLowerCase();
  const plus = lower.indexOf("+");
  const base = plus < 0 ? lower : lower.slice(0, plus);
  const found = index.lists.get(addressKey(base, entry.name)) ??
    index.lists.get(addressKey(canonicalLocalpart(localpart, entry), entry.name));
  if (found === undefined) return undefined;
  const token = plus < 0 ? "" : lower.slice(plus + 1);
  // It belongs to somebody else, unless the domain has such variants for all addresses.
  if (token !== "" && found.role === "post" && !entry.separators.includes("+")) return undefined;
  return { ...found, token };
}
