/** Settings of an existing domain: names, separators, its MTA-STS policy, and its DKIM keys. @module */
import type { Config, Domain, Dynamic } from "../config/mod.ts";
import { removeFile } from "../platform/files.ts";
import { type DkimAlgorithm, fileTime, newDkimSelector } from "./dkim_keys.ts";
import { domainName, requireDomain } from "./domains.ts";
import { AdminError, changing } from "./errors.ts";

export interface DomainSettings {
  description: string;
  /** Host in the settings of mail programs; "" for that of mox.conf. */
  clientSettingsDomain: string;
  /** As in you+anything@; the first is used for addresses with unique ids. */
  separators: readonly string[];
  /** Whether localparts are case-sensitive. */
  caseSensitive: boolean;
  /** Whether monthly reports are sent; undefined for no change. */
  monthlyReport?: boolean;
}

/** Changes a domain. @throws AdminError */
async function change(config: Config, domain: string, fn: (domain: Domain) => void): Promise<void> {
  await changing(() =>
    config.writeDynamic((d: Dynamic) => fn(d.Domains.get(requireDomain(d, domain))!))
  );
}

/** @throws AdminError */
export async function setDomain(
  config: Config,
  domain: string,
  settings: DomainSettings,
): Promise<void> {
  await change(config, domain, (value) => {
    value.Description = settings.description;
    value.ClientSettingsDomain = settings.clientSettingsDomain;
    value.LocalpartCatchallSeparator = settings.separators.length === 1
      ? settings.separators[0]
      : "";
    value.LocalpartCatchallSeparators = settings.separators.length > 1
      ? [...settings.separators]
      : [];
    value.LocalpartCaseSensitive = settings.caseSensitive;
    value.MonthlyReport = settings.monthlyReport ?? value.MonthlyReport;
  });
}

/** Sets what other servers do when they can't verify TLS. The policy gets a new id. @throws AdminError */
export async function setMtaStsMode(
  config: Config,
  domain: string,
  mode: "none" | "testing" | "enforce",
  now = new Date(),
): Promise<void> {
  await change(config, domain, (value) => {
    if (!value.MTASTS) {
      throw new AdminError(
        "the domain has no MTA-STS policy: add MTASTS to it in domains.conf, and MTASTSHTTPS to a listener",
      );
    }
    if (value.MTASTS.Mode === mode) return;
    value.MTASTS.Mode = mode;
    value.MTASTS.PolicyID = fileTime(now);
  });
}

/** A whole MTA-STS policy. */
export interface MtaStsPolicy {
  /** Letters and digits; "" for a new one. */
  policyId: string;
  mode: "none" | "testing" | "enforce";
  /** Milliseconds. */
  maxAge: number;
  mx: readonly string[];
}

/** Sets or removes the domain's policy. @throws AdminError */
export async function setMtaStsPolicy(
  config: Config,
  domain: string,
  policy: MtaStsPolicy | undefined,
  now = new Date(),
): Promise<void> {
  await change(config, domain, (value) => {
    value.MTASTS = policy && {
      PolicyID: policy.policyId || fileTime(now),
      Mode: policy.mode,
      MaxAge: policy.maxAge,
      MX: [...policy.mx],
    };
  });
}

/** Where reports of a kind about a domain go. */
export interface ReportAddress {
  localpart: string;
  /** "" for the domain itself. */
  domain: string;
  account: string;
  mailbox: string;
}

/** Sets where reports go, or stops requesting them. @throws AdminError */
export async function setReportAddress(
  config: Config,
  domain: string,
  kind: "DMARC" | "TLSRPT",
  to: ReportAddress | undefined,
): Promise<void> {
  await change(config, domain, (value) => {
    value[kind] = to && {
      Localpart: to.localpart,
      Domain: to.domain,
      Account: to.account,
      Mailbox: to.mailbox,
    };
  });
}

/** A route of messages to a transport of mox.conf. */
export interface RouteSettings {
  fromDomain: readonly string[];
  toDomain: readonly string[];
  minimumAttempts: number;
  transport: string;
}

/** Sets the routes of an account, of a domain, or of the server. @throws AdminError */
export async function setRoutes(
  config: Config,
  of: { account: string } | { domain: string } | "server",
  routes: readonly RouteSettings[],
): Promise<void> {
  const list = routes.map((settings) => ({
    FromDomain: [...settings.fromDomain],
    ToDomain: [...settings.toDomain],
    MinimumAttempts: settings.minimumAttempts,
    Transport: settings.transport,
  }));
  await changing(() =>
    config.writeDynamic((value) => {
      if (of === "server") value.Routes = list;
      else if ("domain" in of) value.Domains.get(requireDomain(value, of.domain))!.Routes = list;
      else {
        const a = value.Accounts.get(of.account);
        if (!a) throw new AdminError(`no account ${of.account}`);
        a.Routes = list;
      }
    })
  );
}

/** Creates a key, which does not sign yet: its record has to be in the DNS first. @throws AdminError */
export async function addDkim(
  config: Config,
  domain: string,
  selector: string,
  algorithm: DkimAlgorithm,
): Promise<void> {
  const name = domainName(domain);
  // Checked before it becomes part of a file name.
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(selector)) {
    throw new AdminError("a selector has letters, digits and hyphens");
  }
  const there = () => new AdminError(`${name.unicode} has a selector ${selector} already`);
  if (config.domain(name.ascii)?.config.DKIM.Selectors.has(selector)) throw there();
  const made = await newDkimSelector(config, selector, name.ascii, algorithm);
  try {
    await change(config, domain, (value) => {
      if (value.DKIM.Selectors.has(selector)) throw there();
      value.DKIM.Selectors.set(selector, made.selector);
    });
  } catch (err) {
    await removeFile(made.path);
    throw err;
  }
}

/** Enables or disables signing with a key. @throws AdminError */
export async function setDkimSign(
  config: Config,
  domain: string,
  selector: string,
  sign: boolean,
): Promise<void> {
  await change(config, domain, (value) => {
    if (!value.DKIM.Selectors.has(selector)) throw new AdminError(`no selector ${selector}`);
    value.DKIM.Sign = value.DKIM.Sign.filter((s) => s !== selector);
    if (sign) value.DKIM.Sign.push(selector);
  });
}

/** Removes a key from the configuration; its file stays. @throws AdminError if messages are signed with it */
export async function removeDkim(config: Config, domain: string, selector: string): Promise<void> {
  await change(config, domain, (value) => {
    if (!value.DKIM.Selectors.has(selector)) throw new AdminError(`no selector ${selector}`);
    if (value.DKIM.Sign.includes(selector)) {
      throw new AdminError("messages are signed with it: stop that first");
    }
    value.DKIM.Selectors.delete(selector);
  });
}
