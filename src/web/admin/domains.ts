/** Domains: their settings, aliases, keys, DNS records and the check of these. @module */
import type { domainCalls } from "../../../webmail/admin/api/domains.ts";
import * as admin from "../../admin/mod.ts";
import { policyText } from "../../tlspolicy/sts_https.ts";
import { catchallSeparators, formatDuration } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, withAdminErrors } from "./options.ts";

const log = new Log("dns");

export function domainHandlers(
  o: AdminPageOptions,
): CallHandlers<typeof domainCalls, PageContext> {
  const { config } = o;
  /** A resolver without a cache. */
  const resolver = () => {
    if (o.freshResolver === undefined) throw new UserError("localserve uses no DNS");
    return o.freshResolver();
  };

  /** Addresses of a domain, with their accounts. */
  const addressesOf = (domain: string) =>
    [...config.dynamic.Accounts.keys()].flatMap((account) =>
      config.accountAddresses(account).filter((a) => a.endsWith(`@${domain}`))
        .map((address) => ({ address, account }))
    );
  return {
    Domains: () => ({
      domains: [...config.dynamic.Domains].map(([name, d]) => ({
        name,
        disabled: d.Disabled,
        description: d.Description,
        addresses: addressesOf(name).length,
        aliases: d.Aliases.size,
        signed: d.DKIM.Sign.length > 0,
        mtasts: d.MTASTS?.Mode ?? "",
      })),
    }),
    async Domain({ name }) {
      const entry = config.domain(name);
      if (entry === undefined) throw new HttpError(404, `there is no domain ${name}`);
      const d = entry.config;
      const records = await withAdminErrors(() => admin.domainRecords(config, name));
      const reports = (r: typeof d.DMARC) =>
        r === undefined
          ? null
          : { address: `${r.Localpart}@${r.Domain || name}`, account: r.Account };
      return {
        name,
        disabled: d.Disabled,
        description: d.Description,
        administrators: d.Administrators,
        clientSettingsDomain: d.ClientSettingsDomain,
        separators: catchallSeparators(d),
        caseSensitive: d.LocalpartCaseSensitive,
        monthlyReport: d.MonthlyReport,
        journal: d.Journal
          ? {
            address: d.Journal.Address,
            mailbox: d.Journal.Mailbox,
            keyFile: d.Journal.KeyFile,
            account: config.accountFor(d.Journal.Address) ?? "",
          }
          : null,
        addresses: addressesOf(name),
        aliases: [...d.Aliases].map(([localpart, a]) => ({
          localpart,
          members: a.Addresses,
          postPublic: a.PostPublic,
          listMembers: a.ListMembers,
          allowMsgFrom: a.AllowMsgFrom,
        })),
        dmarc: reports(d.DMARC),
        tlsrpt: reports(d.TLSRPT),
        mtasts: d.MTASTS === undefined ? null : {
          mode: d.MTASTS.Mode,
          policyId: d.MTASTS.PolicyID,
          maxAge: formatDuration(d.MTASTS.MaxAge),
          mx: d.MTASTS.MX,
        },
        dkim: [...d.DKIM.Selectors].map(([selector, s]) => ({
          selector,
          signs: d.DKIM.Sign.includes(selector),
          file: s.PrivateKeyFile,
        })),
        records: records.map((r) => ({ ...r, optional: r.optional ?? false })),
        zone: admin.formatZone(records),
        clients: admin.clientServices(config, name),
      };
    },
    async DomainAdd({ name, account, disabled }) {
      await withAdminErrors(() => admin.addDomain(config, name, { account, disabled }));
      return {};
    },
    async DomainRemove({ name }) {
      await withAdminErrors(() => admin.removeDomain(config, name));
      return {};
    },
    async DomainDisable({ name, disabled }) {
      await withAdminErrors(() => admin.setDomainDisabled(config, name, disabled));
      return {};
    },
    async DomainSet({ name, ...settings }) {
      await withAdminErrors(() => admin.setDomain(config, name, settings));
      return {};
    },
    async DomainJournalSet({ name, journal }) {
      await withAdminErrors(() => admin.setJournal(config, name, journal ?? undefined));
      return {};
    },
    async DomainMtaSts({ name, mode }) {
      await withAdminErrors(() => admin.setMtaStsMode(config, name, mode));
      return {};
    },
    async DomainAdministratorsSet({ name, accounts }) {
      await withAdminErrors(() => admin.setDomainAdministrators(config, name, accounts));
      return {};
    },
    async DomainMtaStsSet({ name, policy }) {
      await withAdminErrors(() => admin.setMtaStsPolicy(config, name, policy ?? undefined));
      return {};
    },
    async DomainReportsSet({ name, kind, to }) {
      await withAdminErrors(() => admin.setReportAddress(config, name, kind, to ?? undefined));
      return {};
    },
    async DomainRoutesSet({ name, routes }) {
      await withAdminErrors(() => admin.setRoutes(config, { domain: name }, routes));
      return {};
    },
    async RoutesSet({ routes }) {
      await withAdminErrors(() => admin.setRoutes(config, "server", routes));
      return {};
    },
    async DkimAdd({ name, selector, algorithm }) {
      await withAdminErrors(() => admin.addDkim(config, name, selector, algorithm));
      return {};
    },
    async DkimSign({ name, selector, sign }) {
      await withAdminErrors(() => admin.setDkimSign(config, name, selector, sign));
      return {};
    },
    async DkimRemove({ name, selector }) {
      await withAdminErrors(() => admin.removeDkim(config, name, selector));
      return {};
    },
    async DnsPlan({ name }) {
      const plan = await withAdminErrors(() => admin.planDnsWrite(config, name, resolver()));
      return {
        remove: plan.remove.map(admin.recordText),
        add: plan.add.map(admin.recordText),
        elsewhere: plan.elsewhere.map(admin.recordText),
      };
    },
    async DnsWrite({ name }) {
      const plan = await withAdminErrors(() => admin.planDnsWrite(config, name, resolver()));
      const s = { config, outbound: o.outbound, log };
      const late = await withAdminErrors(() => admin.writeDns(s, plan, resolver));
      return { late: late.map(admin.recordText) };
    },
    async DkimRotate({ name }) {
      const { selectors } = await withAdminErrors(() => admin.beginDkimRotation(config, name));
      return { selectors };
    },
    async DkimRotations() {
      const all = Object.entries(await withAdminErrors(() => admin.dkimRotations(config)));
      return {
        rotations: all.map(([domain, r]) => ({
          domain,
          step: r.step,
          selectors: r.selectors,
          old: r.old,
          since: r.since,
          problem: r.problem,
        })),
      };
    },
    async DomainCheck({ name }) {
      const { resolver } = o;
      if (resolver === undefined) {
        throw new UserError("localserve uses no DNS, so there is nothing to compare with");
      }
      const fetchPolicy = (domain: string) => policyText(o.outbound, domain);
      const check = await withAdminErrors(() =>
        admin.checkDomainDns(config, name, { resolver, fetchPolicy })
      );
      return {
        parts: check.parts.map((part) => ({
          name: part.title,
          state: part.state,
          findings: part.findings.map((f) => ({ level: f.level, text: f.message })),
          found: part.found,
          fix: part.fix,
        })),
      };
    },
    async AliasAdd({ address, members, ...options }) {
      await withAdminErrors(() => admin.addAlias(config, address, members, options));
      return {};
    },
    async AliasSet({ address, members, ...options }) {
      await withAdminErrors(() => admin.setAliasMembers(config, address, members, options));
      return {};
    },
    async AliasMembersAdd({ address, members }) {
      await withAdminErrors(() => admin.addAliasMembers(config, address, members));
      return {};
    },
    async AliasMembersRemove({ address, members }) {
      await withAdminErrors(() => admin.removeAliasMembers(config, address, members));
      return {};
    },
    async AliasRemove({ address }) {
      await withAdminErrors(() => admin.removeAlias(config, address));
      return {};
    },
  };
}
