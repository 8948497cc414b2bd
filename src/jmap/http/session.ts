/** The session object (RFC 8620 §2). @module */
import { createHash } from "node:crypto";
import { accountIdOf, accountNames } from "../core/access.ts";
import { Capability } from "../core/capabilities.ts";
import * as limits from "../core/limits.ts";
import type { User } from "../core/method.ts";
import type { JmapServices } from "../services.ts";
import { accountCapabilities, serverCapabilities } from "../capabilities.ts";

/** The data of a session besides its URLs. */
interface SessionFacts {
  capabilities: Record<string, unknown>;
  accounts: Record<string, unknown>;
  primaryAccounts: Record<string, string>;
  username: string;
}

function coreCapability(services: JmapServices): Record<string, unknown> {
  return {
    maxSizeUpload: services.maxMessageSize,
    maxConcurrentUpload: limits.maxConcurrentUpload,
    maxSizeRequest: limits.maxSizeRequest,
    maxConcurrentRequests: limits.maxConcurrentRequests,
    maxCallsInRequest: limits.maxCallsInRequest,
    maxObjectsInGet: limits.maxObjectsInGet,
    maxObjectsInSet: limits.maxObjectsInSet,
    collationAlgorithms: ["i;ascii-casemap", "i;unicode-casemap", "i;octet"],
  };
}

function facts(services: JmapServices, user: User): SessionFacts {
  const accounts: Record<string, unknown> = {};
  for (const name of accountNames(services, user)) {
    const own = name === user.account;
    if (!own && services.config.account(name) === undefined) continue;
    accounts[accountIdOf(name)] = {
      name: own ? user.login : name,
      isPersonal: own,
      isReadOnly: false,
      accountCapabilities: accountCapabilities(services, user, name),
    };
  }
  const id = accountIdOf(user.account);
  const primary = Object.keys(accountCapabilities(services, user, user.account));
  return {
    capabilities: { [Capability.Core]: coreCapability(services), ...serverCapabilities(services) },
    accounts,
    primaryAccounts: Object.fromEntries(primary.map((c) => [c, id])),
    username: user.login,
  };
}

function stateOf(f: SessionFacts): string {
  return createHash("sha256").update(JSON.stringify(f)).digest("hex").slice(0, 16);
}

/** The state of a user's session, included in every response. */
export function sessionState(services: JmapServices, user: User): string {
  return stateOf(facts(services, user));
}

/** Names of the capabilities that a request may use. */
export function knownCapabilities(services: JmapServices, user: User): ReadonlySet<string> {
  return new Set([
    Capability.Core,
    ...Object.keys(serverCapabilities(services)),
    ...Object.keys(accountCapabilities(services, user, user.account)),
  ]);
}

/** @param base absolute URL of the service, with a slash at its end */
export function sessionObject(
  services: JmapServices,
  user: User,
  base: string,
): Record<string, unknown> {
  const f = facts(services, user);
  const socket = base.replace(/^http/, "ws");
  return {
    ...f,
    capabilities: {
      ...f.capabilities,
      ...Capability.WebSocket in f.capabilities
        ? { [Capability.WebSocket]: { url: `${socket}ws`, supportsPush: true } }
        : {},
    },
    apiUrl: `${base}api`,
    downloadUrl: `${base}download/{accountId}/{blobId}/{name}?accept={type}`,
    uploadUrl: `${base}upload/{accountId}/`,
    eventSourceUrl: `${base}eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
    state: stateOf(f),
  };
}
