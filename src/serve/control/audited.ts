/** Commands of the control socket, recorded in the audit log. @module */
import type { AuditLog } from "../../admin/mod.ts";
import type { ControlHandler } from "./control.ts";

/** Commands that change no settings: they show, check, copy, or send a program's mail. */
const reading =
  /(?:^| )(?:list|members|held|plan|rotation|print|test|dnscheck|dnsrecords|dump|get|lookup|check|show|describe|info|status)$|^(?:sendmail|stop|backup|export|verify|ensureparsed|reports send)\b/;

/** Each command that changes something is recorded once it has succeeded. */
export function audited(
  audit: AuditLog,
  handlers: Iterable<readonly [string, ControlHandler]>,
): [string, ControlHandler][] {
  return [...handlers].map(([name, handle]) => {
    if (reading.test(name)) return [name, handle];
    const noted: ControlHandler = (args, print, signal) => {
      // Without a level it only shows them.
      const shows = name === "loglevels" &&
        (args as { level?: unknown } | null)?.level === null;
      const tries = (args as { dryRun?: unknown } | null)?.dryRun === true;
      if (shows || tries) return handle(args, print, signal);
      const actor = { who: "command line", from: "control socket" };
      return audit.run(actor, name, args, () => handle(args, print, signal));
    };
    return [name, noted];
  });
}
