/** The outcome of a DNS check as text for a terminal. @module */
import type { DomainCheck } from "./dns_check_part.ts";

const words = { ok: "ok", warning: "warning", error: "ERROR", skipped: "not set up" } as const;

/** All parts: their state, problems, and what to do. */
export function formatDomainCheck(check: DomainCheck): string {
  const lines: string[] = [];
  for (const part of check.parts) {
    lines.push(`${part.title}: ${words[part.state]}`);
    for (const f of part.found) lines.push(`  found: ${f}`);
    for (const f of part.findings) lines.push(`  ${f.level}: ${f.message}`);
    for (const f of part.fix) lines.push(`  do: ${f}`);
    lines.push("");
  }
  return lines.join("\n");
}
