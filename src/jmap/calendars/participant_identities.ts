/** ParticipantIdentity (jmap-calendars §3): the addresses with which a user takes part in events. @module */
import { createHash } from "node:crypto";
import type { JmapServices } from "../services.ts";

export const participantProperties = ["id", "name", "calendarAddress", "sendTo", "isDefault"];

/** What a user has chosen; the rest is the configuration's. */
interface Chosen {
  /** Id of the default one. */
  isDefault?: string;
  /** Display names by id. */
  names?: Record<string, string>;
}

type Services = Pick<JmapServices, "config" | "objects">;

const chosenOf = (services: Services, account: string) =>
  services.objects.list<Chosen>(account, "participant")[0];

/** Keeps a choice; durable when it resolves. */
export async function choose(
  services: Services,
  account: string,
  change: (chosen: Chosen) => Chosen,
): Promise<void> {
  const old = chosenOf(services, account);
  const value = change(old?.value ?? {});
  if (old === undefined) await services.objects.add(account, "participant", value);
  else await services.objects.put(account, "participant", old.id, value);
}

/** All of an account, by id: one for each address that it may send from. */
export function participantIdentities(
  services: Services,
  account: string,
): Map<string, Record<string, unknown>> {
  const name = services.config.account(account)?.FullName ?? "";
  const own = services.config.accountAddresses(account).filter((a) => {
    const at = a.lastIndexOf("@");
    return at > 0 && services.config.mayUseFrom(account, a.slice(0, at), a.slice(at + 1)) === "yes";
  });
  const chosen = chosenOf(services, account)?.value ?? {};
  const all = own.map((a) => {
    const id = `P${createHash("sha256").update(a.toLowerCase()).digest("hex").slice(0, 16)}`;
    const uri = `mailto:${a}`;
    return { id, name: chosen.names?.[id] ?? name, calendarAddress: uri, sendTo: { imip: uri } };
  });
  const usual = all.find((p) => p.id === chosen.isDefault) ?? all[0];
  return new Map(all.map((p) => [p.id, { ...p, isDefault: p === usual }]));
}

/** The address with which a user invites others; undefined if the account has none. */
export function defaultAddress(services: Services, account: string): string | undefined {
  for (const p of participantIdentities(services, account).values()) {
    if (p.isDefault === true) return p.calendarAddress as string;
  }
}

export function participantState(services: Services, account: string): string {
  const all = JSON.stringify([...participantIdentities(services, account).values()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 16);
}
