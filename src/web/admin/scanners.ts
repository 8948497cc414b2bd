/** External scanners, for the page. @module */
import type { Config } from "../../config/mod.ts";

/** The last answer of each; `since` is 0 if it was not used yet. */
export type ScannerStates = () => readonly {
  name: string;
  error: string | undefined;
  since: number;
}[];

/** The scanners of the configuration with their states. */
export function scannerList(config: Config, states: ScannerStates) {
  const found = new Map(states().map((s) => [s.name, s]));
  const { Scanners, Listeners, OutgoingScanners } = config.static;
  return [...Scanners].map(([name, s]) => {
    const uses: string[] = [];
    for (const [listener, l] of Listeners) {
      if (l.SMTP.Scanners.includes(name)) uses.push(`incoming at ${listener}`);
      if (l.Submission.Scanners.includes(name)) uses.push(`submission at ${listener}`);
      if (l.Submissions.Scanners.includes(name)) uses.push(`submissions at ${listener}`);
    }
    if (OutgoingScanners.includes(name)) uses.push("all outgoing");
    if (s.Rspamd && s.Rspamd.ControllerURL !== "") uses.push("what users mark");
    const state = found.get(name);
    return {
      name,
      kind: s.Milter ? "milter" : s.Rspamd ? "rspamd" : "ClamAV",
      address: s.Rspamd?.URL ?? (s.Milter ?? s.ClamAV)?.Address ?? "",
      uses,
      whenAway: s.WhenAway === "accept" ? "accept" as const : "tempfail" as const,
      since: state === undefined || state.since === 0 ? null : state.since,
      error: state?.error ?? "",
    };
  });
}
