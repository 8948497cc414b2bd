/** The names that a listener needs certificates for. @module */
import { domainToASCII } from "node:url";
import type { Config, Listener } from "../../config/mod.ts";

/** In the order of importance: mail before pages. */
export function certificateNames(config: Config, listener: Listener): string[] {
  const names = new Set<string>();
  const add = (name: string) => {
    if (name === "") return;
    const ascii = domainToASCII(name).toLowerCase();
    if (ascii.includes(".")) names.add(ascii);
  };
  add(listener.Hostname || config.static.Hostname);
  for (const [name, d] of config.dynamic.Domains) {
    if (d.Disabled) continue;
    add(d.ClientSettingsDomain);
    if (d.MTASTS && listener.MTASTSHTTPS.Enabled && !listener.MTASTSHTTPS.NonTLS) {
      add(`mta-sts.${name}`);
    }
    if (listener.AutoconfigHTTPS.Enabled && !listener.AutoconfigHTTPS.NonTLS) {
      add(`autoconfig.${name}`);
    }
  }
  if (listener.WebserverHTTPS.Enabled) {
    for (const name of config.dynamic.WebDomainRedirects.keys()) add(name);
    for (const h of config.dynamic.WebHandlers) add(h.Domain);
  }
  return [...names];
}
