/** The scanners of a running server. @module */
import { type Config, defaultMaxMessageSize } from "../config/mod.ts";
import type { Outbound } from "../net/mod.ts";
import { resolveFrom } from "../platform/paths.ts";
import { SmtpError } from "../smtp/server/mod.ts";
import { type Scanned, Scanners } from "../scanning/mod.ts";

/**
 * Reads their passwords while the process is still allowed to; undefined if no scanner is configured.
 * @throws Error naming a file that can't be read
 */
export async function openScanners(
  config: Config,
  outbound: Outbound,
): Promise<Scanners | undefined> {
  const scanners = config.static.Scanners;
  if (scanners.size === 0) return undefined;
  const passwords = new Map<string, string>();
  for (const [name, s] of scanners) {
    const file = s.Rspamd?.PasswordFile ?? "";
    if (file === "") continue;
    const text = await Deno.readTextFile(resolveFrom(config.dir, file));
    passwords.set(name, text.trim());
  }
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  return new Scanners({
    scanners,
    passwords,
    outbound,
    tempDir: config.dataPath("tmp"),
    maxMessageSize: Math.max(...sizes) || defaultMaxMessageSize,
  });
}

/** @throws SmtpError if the message as a whole is refused */
export function refuseIfAsked(scanned: Pick<Scanned, "action" | "reply">): void {
  const { action, reply } = scanned;
  if (action === "reject") {
    const { code, enhanced, text } = reply ?? { code: 550, enhanced: "7.1", text: "refused" };
    throw new SmtpError(code, enhanced, text);
  }
  if (action === "tempfail") {
    const r = reply ?? { code: 451, enhanced: "7.1", text: "try again later" };
    throw new SmtpError(r.code, r.enhanced, r.text, { harmless: true });
  }
}
