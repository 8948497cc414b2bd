/**
 * Commands over the control socket that are about the running server as a whole.
 *
 * @module
 */
import { serverHealth, worstState } from "../admin/mod.ts";
import { clearLevel, currentLevels, isLevel, Log, setLevel } from "../log/mod.ts";
import { programVersion } from "../platform/version.ts";
import type { ServerParts } from "./parts.ts";
import { retrainHandler } from "./receiving/retrain.ts";
import { submitFromProgram } from "./sending/submit.ts";
import { adminHandlers } from "./control/admin_commands.ts";
import { ControlError, type ControlHandler, type Json } from "./control/control.ts";

/** The parts they act on. */
export type CommandedParts =
  & Pick<
    ServerParts,
    | "config"
    | "accounts"
    | "queue"
    | "tempDir"
    | "scanners"
    | "sieve"
    | "lists"
    | "openLogins"
    | "trainer"
    | "outbound"
    | "certificates"
    | "nodes"
    | "freshResolver"
  >
  & {
    /** Report sending; undefined where none are sent, and before the server has started. */
    reportSending: () => ServerParts["reportSending"];
    /** Starts to stop the server. */
    stop: () => void;
  };

const fields = (args: Json) => (args ?? {}) as Record<string, Json>;

/** The handlers, by command. */
export function serverCommands(parts: CommandedParts): Map<string, ControlHandler> {
  const { config, accounts, queue, scanners, sieve } = parts;
  const started = Date.now();
  const rechecked = (handler: ControlHandler): ControlHandler => async (...a) => {
    try {
      return await handler(...a);
    } finally {
      // Keys are changed through another handle of their database.
      await parts.openLogins.recheckAll();
    }
  };
  const admin = adminHandlers({
    config,
    accounts,
    log: new Log("serve"),
    outbound: parts.outbound,
    lists: parts.lists.forAdmin,
    freshResolver: parts.freshResolver,
    sieve,
  });
  return new Map<string, ControlHandler>([
    ...[...admin].map(([name, h]) => [name, rechecked(h)] as const),
    ["stop", () => {
      // After the answer, as stopping closes its connection.
      setTimeout(parts.stop, 0);
    }],
    ["status", async () => {
      const checks = await serverHealth({
        config,
        queue,
        certificates: () => parts.certificates.states(),
        scanners: () => scanners?.states() ?? [],
        standby: () => parts.nodes?.standby() ?? "none",
      });
      return {
        version: programVersion,
        hostname: config.static.Hostname,
        started,
        state: worstState(checks),
        checks: checks.map((c) => ({ ...c })),
      };
    }],
    ["loglevels", (args) => {
      const { level, pkg } = fields(args) as { level: string | null; pkg: string };
      if (level === "default") clearLevel(pkg);
      else if (level !== null && isLevel(level)) setLevel(pkg, level);
      else if (level !== null) throw new ControlError(`no log level ${level}`);
      return currentLevels();
    }],
    ["reports send", async () => {
      const sending = parts.reportSending();
      if (!sending) throw new ControlError("this server sends no reports");
      return await sending.now();
    }],
    ["retrain", retrainHandler(config, accounts, parts.trainer)],
    ["sendmail", async (args) => {
      const m = fields(args) as {
        from: string;
        recipients: string[];
        fromHeader: boolean;
        message: string;
      };
      return await submitFromProgram({ config, queue, scanners, tempDir: parts.tempDir }, m);
    }],
  ]);
}
