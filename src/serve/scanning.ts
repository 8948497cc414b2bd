/** The scanners of a running server. @module */
import { type Config, defaultMaxMessageSize } from "../config/mod.ts";
import type { Outbound } from "../net/mod.ts";
import { resolveFrom } from "../platform/paths.ts";
import { Scanners } from "../scanning/mod.ts";

/**
 * Reads their passwords, while the process may; undefined where none is configured.
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
