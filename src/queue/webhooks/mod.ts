/**
 * Webhooks: HTTP calls that notify programs of incoming messages and of the results of outgoing ones.
 *
 * May import platform, log, metrics, net and store. Used by serve, which makes the payloads.
 *
 * @module
 */
export { signPayload } from "./call.ts";
export { Webhooks } from "./hooks.ts";
export { hookBackoff } from "./schedule.ts";
export type { Hook, HookAttempt, HookFilter, HookOptions, NewHook, RetiredHook } from "./types.ts";
