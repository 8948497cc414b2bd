/** What a change of domains.conf means for the parts of the server. @module */
import type { Dynamic } from "./dynamic/dynamic.ts";
import { equal } from "./sconf/schema.ts";

/** Names that were added, removed, or have new values. */
export interface NameChanges {
  added: string[];
  removed: string[];
  changed: string[];
}

export interface ConfigChange {
  domains: NameChanges;
  accounts: NameChanges;
  /** WebDomainRedirects or WebHandlers. */
  web: boolean;
  /** Routes: global, of a domain or of an account. */
  routes: boolean;
  monitorDNSBLs: boolean;
}

function compare<T>(before: Map<string, T>, after: Map<string, T>): NameChanges {
  const names = [...after.keys()];
  return {
    added: names.filter((n) => !before.has(n)),
    removed: [...before.keys()].filter((n) => !after.has(n)),
    changed: names.filter((n) => before.has(n) && !equal(before.get(n), after.get(n))),
  };
}

function routes(dynamic: Dynamic): unknown {
  const of = (m: Map<string, { Routes: unknown[] }>) =>
    [...m].filter(([, v]) => v.Routes.length > 0).map(([name, v]) => [name, v.Routes]);
  return [dynamic.Routes, of(dynamic.Domains), of(dynamic.Accounts)];
}

/** The difference of two configurations. */
export function whatChanged(before: Dynamic, after: Dynamic): ConfigChange {
  return {
    domains: compare(before.Domains, after.Domains),
    accounts: compare(before.Accounts, after.Accounts),
    web: !equal(before.WebHandlers, after.WebHandlers) ||
      !equal(before.WebDomainRedirects, after.WebDomainRedirects),
    routes: !equal(routes(before), routes(after)),
    monitorDNSBLs: !equal(before.MonitorDNSBLs, after.MonitorDNSBLs),
  };
}

/** True if nothing changed. */
export function isEmptyChange(change: ConfigChange): boolean {
  const none = (n: NameChanges) => n.added.length + n.removed.length + n.changed.length === 0;
  return none(change.domains) && none(change.accounts) && !change.web && !change.routes &&
    !change.monitorDNSBLs;
}
