/** Conditions for the scanners in mox.conf, and for references to them. @module */
import type { PathReport } from "../sconf/schema.ts";
import type { Static } from "./static.ts";

/** Reports all problems. */
export function checkScanners(c: Static, report: PathReport): void {
  for (const [name, s] of c.Scanners) {
    const path = ["Scanners", name];
    if (!/^[a-z0-9-]{1,40}$/.test(name)) {
      report(path, "its name must be of at most 40 lower-case letters, digits and hyphens");
    }
    const kinds = (["Milter", "Rspamd", "ClamAV"] as const).filter((k) => s[k] !== undefined);
    if (kinds.length !== 1) {
      report(
        path,
        kinds.length === 0
          ? "one of Milter, Rspamd and ClamAV must be set"
          : `a scanner is of one kind, not of ${kinds.length}: ${kinds.join(", ")}`,
      );
    }
    if (s.Timeout < 1000 || s.Timeout > 240_000) {
      // RFC 5321 §4.5.3.2.6: senders wait ten minutes for the answer to a message.
      report([...path, "Timeout"], "must be between 1s and 4m");
    }
    if (s.RefuseLarger && s.MaxMessageSize === 0) {
      report([...path, "RefuseLarger"], "contradicts MaxMessageSize 0, which is no limit");
    }
  }
  const named = (path: (string | number)[], names: readonly string[]) => {
    names.forEach((name, i) => {
      if (!c.Scanners.has(name)) {
        report([...path, i], `there is no ${JSON.stringify(name)} in Scanners of this file`);
      } else if (names.indexOf(name) < i) report([...path, i], `${name} is there twice`);
    });
  };
  for (const [name, l] of c.Listeners) {
    for (const service of ["SMTP", "Submission", "Submissions"] as const) {
      named(["Listeners", name, service, "Scanners"], l[service].Scanners);
    }
    const g = l.SMTP.Greylist;
    if (!g) continue;
    const path = ["Listeners", name, "SMTP", "Greylist"];
    if (g.Delay < 1000 || g.Delay > 24 * 3_600_000) {
      report([...path, "Delay"], "must be between 1s and 24h");
    }
    if (g.Window <= g.Delay) report([...path, "Window"], "must be longer than Delay");
    if (g.Keep < g.Window) report([...path, "Keep"], "must not be shorter than Window");
  }
  named(["OutgoingScanners"], c.OutgoingScanners);
}
