/** ParticipantIdentity (jmap-calendars §3): the addresses with which a user takes part in events. @module */
import { createHash } from "node:crypto";
import type { JmapServices } from "../services.ts";

export const participantProperties = ["id", "name", "calendarAddress", "sendTo", "isDefault"];

/** All of an account, by id: one for each address that it may send from. */
export function participantIdentities(
  services: JmapServices,
  account: string,
): Map<string, Record<string, unknown>> {
  const name = services.config.account(account)?.FullName ?? "";
  const own = services.config.accountAddresses(account).filter((a) => {
    const at = a.lastIndexOf("@");
    return at > 0 && services.config.mayUseFrom(account, a.slice(0, at), a.slice(at + 1)) === "yes";
  });
  return new Map(own.map((a, i) => {
    const id = `P${createHash("sha256").update(a.toLowerCase()).digest("hex").slice(0, 16)}`;
    const uri = `mailto:${a}`;
    return [id, { id, name, calendarAddress: uri, sendTo: { imip: uri }, isDefault: i === 0 }];
  }));
}

export function participantState(services: JmapServices, account: string): string {
  const all = JSON.stringify([...participantIdentities(services, account).values()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 16);
}
