/** Who comes in, certificates, and TLS policies of others. @module */
import { scannerList } from "./scanners.ts";
import type { securityCalls } from "../../../webmail/admin/api/security.ts";
import { cidString } from "../../log/mod.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import { checkedKey, newFactor, type PageContext, wrongFirstCode } from "../login/mod.ts";
import { type AdminPageOptions, confirmAdmin } from "./options.ts";

/** Attempts to log in, and connections, that are shown. */
const maxAttempts = 500;
const maxConnections = 500;
const maxAudit = 500;

export function securityHandlers(
  o: AdminPageOptions,
): CallHandlers<typeof securityCalls, PageContext> {
  return {
    async Attempts(_r, c) {
      const { on, recoveryCodes } = await o.factor.state();
      return {
        attempts: o.loginLog()?.list(undefined, maxAttempts) ?? [],
        sessions: o.sessions.list("").map((s) => ({ ...s, current: s.id === c.session?.id })),
        secondFactor: on,
        recoveryCodes,
      };
    },
    Audit: async () => ({ entries: await o.audit.list(maxAudit) }),
    AdminSecondFactorBegin: () => newFactor(o.config.static.Hostname, "administrator"),
    async AdminSecondFactorOn({ key, code, ...given }, c) {
      await confirmAdmin(o, c, given);
      if ((await o.factor.state()).on) throw new UserError("there is a second factor already");
      const codes = await o.factor.enable(checkedKey(key), code.replace(/\s/g, ""), Date.now());
      if (codes === undefined) throw new UserError(wrongFirstCode);
      o.sessions.endAll("", c.session!.id);
      return { recoveryCodes: codes };
    },
    async AdminSecondFactorOff(given, c) {
      await confirmAdmin(o, c, given);
      await o.factor.disable();
      return {};
    },
    AdminSessionsEnd(_r, c) {
      o.sessions.endAll("", c.session!.id);
      return {};
    },
    Connections() {
      const all = o.connections();
      const counts = new Map<string, number>();
      for (const c of all) counts.set(c.protocol, (counts.get(c.protocol) ?? 0) + 1);
      return {
        connections: all.sort((a, b) => b.since - a.since).slice(0, maxConnections)
          .map((c) => ({ ...c, cid: cidString(c.cid) })),
        counts: [...counts].map(([protocol, count]) => ({ protocol, count })),
      };
    },
    Certificates: () => ({
      certificates: o.certificates().map((c) => ({
        name: c.name,
        from: c.from,
        notAfter: c.notAfter ?? null,
        next: c.next ?? null,
        failures: c.failures,
        error: c.error ?? "",
      })),
    }),
    Scanners: () => ({ scanners: scannerList(o.config, o.scanners) }),
    StsPolicies: () => ({ policies: o.stsPolicies() }),
  };
}
