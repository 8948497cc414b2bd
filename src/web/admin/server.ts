/** The server as a whole: its version, state and storage, and its block list entries. @module */
import type { serverCalls } from "../../../webmail/admin/api/server.ts";
import { dnsblStatus, serverHealth, worstState } from "../../admin/mod.ts";
import { freeSpace } from "../../platform/files.ts";
import { memoryUse } from "../../platform/process.ts";
import { lastBackup } from "../../store/backup/last_backup.ts";
import type { CallHandlers } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, usageOf, withAdminErrors } from "./options.ts";

export function serverHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof serverCalls, PageContext> {
  const { config, queue } = options;
  const started = Date.now();
  return {
    Overview: async () => ({
      version: options.version,
      hostname: config.static.Hostname,
      started,
      memory: memoryUse().resident,
      domains: config.dynamic.Domains.size,
      accounts: config.dynamic.Accounts.size,
      queue: queue.count(),
      held: queue.count({ hold: true }),
      hooks: options.webhooks?.count() ?? 0,
      listeners: options.listeners(),
      free: await freeSpace(config.dataDir),
      backup: await lastBackup(config.dataDir) ?? null,
    }),
    async Status() {
      const checks = await serverHealth(options);
      return { state: worstState(checks), checks };
    },
    Glance: () => options.glance.read(),
    async Storage() {
      const accounts = [];
      for (const name of config.accountsHere()) {
        accounts.push({
          name,
          used: await usageOf(options, name) ?? 0,
          quota: config.quotaMessageSize(name) ?? null,
        });
      }
      accounts.sort((a, b) => b.used - a.used);
      return {
        dataDir: config.dataDir,
        free: await freeSpace(config.dataDir),
        used: accounts.reduce((n, a) => n + a.used, 0),
        accounts,
        backup: await lastBackup(config.dataDir) ?? null,
      };
    },
    BlockLists: async () => ({
      monitored: config.dynamic.MonitorDNSBLs,
      found: options.resolver ? await dnsblStatus(config, options.resolver) : null,
    }),
    async BlockListsSet({ zones }) {
      await withAdminErrors(() => config.writeDynamic((d) => void (d.MonitorDNSBLs = zones)));
      return {};
    },
  };
}
