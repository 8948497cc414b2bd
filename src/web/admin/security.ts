/** Logins and connections, certificates, and TLS policies of others. @module */
import { scannerList } from "./scanners.ts";
import type { securityCalls } from "../../../webmail/admin/api/security.ts";
import { cidString } from "../../log/mod.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import { checkedKey, newFactor, type PageContext, wrongFirstCode } from "../login/mod.ts";
import { type AdminPageOptions, confirmAdmin } from "./options.ts";

/** Login attempts, and connections, shown. */
const maxAttempts = 500;
const maxConnections = 500;
const maxAudit = 500;

export function securityHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof securityCalls, PageContext> {
  return {
    async Attempts(_r, context) {
      const { on, recoveryCodes } = await options.factor.state();
      return {
        attempts: options.loginLog()?.list(undefined, maxAttempts) ?? [],
        sessions: options.sessions.list("").map((s) => ({
          ...s,
          current: s.id === context.session?.id,
        })),
        secondFactor: on,
        recoveryCodes,
      };
    },
    Audit: async () => ({ entries: await options.audit.list(maxAudit) }),
    AdminSecondFactorBegin: () => newFactor(options.config.static.Hostname, "administrator"),
    async AdminSecondFactorOn({ key, code, ...given }, context) {
      await confirmAdmin(options, context, given);
      if ((await options.factor.state()).on) {
        throw new UserError("there is a second factor already");
      }
      const codes = await options.factor.enable(
        checkedKey(key),
        code.replace(/\s/g, ""),
        Date.now(),
      );
      if (codes === undefined) throw new UserError(wrongFirstCode);
      options.sessions.endAll("", context.session!.id);
      return { recoveryCodes: codes };
    },
    async AdminSecondFactorOff(given, context) {
      await confirmAdmin(options, context, given);
      await options.factor.disable();
      return {};
    },
    AdminSessionsEnd(_r, context) {
      options.sessions.endAll("", context.session!.id);
      return {};
    },
    Connections() {
      const all = options.connections();
      const counts = new Map<string, number>();
      for (const c of all) counts.set(c.protocol, (counts.get(c.protocol) ?? 0) + 1);
      return {
        connections: all.sort((a, b) => b.since - a.since).slice(0, maxConnections)
          .map((c) => ({ ...c, cid: cidString(c.cid) })),
        counts: [...counts].map(([protocol, count]) => ({ protocol, count })),
      };
    },
    Certificates: () => ({
      certificates: options.certificates().map((c) => ({
        name: c.name,
        from: c.from,
        notAfter: c.notAfter ?? null,
        next: c.next ?? null,
        failures: c.failures,
        error: c.error ?? "",
      })),
    }),
    Scanners: () => ({ scanners: scannerList(options.config, options.scanners) }),
    StsPolicies: () => ({ policies: options.stsPolicies() }),
  };
}
