/** What this server can do, for a session to tell (RFC 8620 §2). @module */
import type { User } from "./core/method.ts";
import type { JmapServices } from "./services.ts";

/** Capabilities beside the core, with what is true for the whole server. */
export function serverCapabilities(_s: JmapServices): Record<string, Record<string, unknown>> {
  return {};
}

/** Capabilities of an account as a user may use it. */
export function accountCapabilities(
  _s: JmapServices,
  _user: User,
  _account: string,
): Record<string, Record<string, unknown>> {
  return {};
}
