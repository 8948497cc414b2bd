/** Certificates of the listeners, from files. @module */
import type { Config, Listener } from "../config/mod.ts";
import type { KeyCert, ServerTls } from "../net/mod.ts";

/** How a listener answers TLS; undefined if it has no certificate. */
export async function listenerTls(
  config: Config,
  listener: Listener,
): Promise<ServerTls | undefined> {
  const files = listener.TLS?.KeyCerts ?? [];
  if (files.length === 0) return undefined;
  const pairs: KeyCert[] = [];
  for (const f of files) {
    pairs.push({
      key: await Deno.readTextFile(config.configPath(f.KeyFile)),
      cert: await Deno.readTextFile(config.configPath(f.CertFile)),
    });
  }
  return { certificateFor: () => pairs[0] };
}
