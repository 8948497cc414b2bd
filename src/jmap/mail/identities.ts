/** Identities: the senders that a user may use (RFC 8621 §6). Each address of an account has one. @module */
import type { Config } from "../../config/mod.ts";
import type { Access } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

export interface IdentityAddress {
  name: string | null;
  email: string;
}

export interface Identity {
  name: string;
  email: string;
  replyTo: IdentityAddress[] | null;
  bcc: IdentityAddress[] | null;
  textSignature: string;
  htmlSignature: string;
  /** Created for a configured address, and removed with it. */
  ofAddress: boolean;
}

export const identityProperties = [
  "id",
  "name",
  "email",
  "replyTo",
  "bcc",
  "textSignature",
  "htmlSignature",
  "mayDelete",
];

/** Whether an account may send as an address. */
export function maySendAs(config: Config, account: string, email: string): boolean {
  if (config.acceptAllAccount === account) return email.includes("@");
  const at = email.lastIndexOf("@");
  const may = at > 0 ? config.maySendAs(account, email.slice(0, at), email.slice(at + 1)) : "no";
  return may === "yes" || may === "behalf";
}

/** Creates identities for new addresses, and removes those of removed addresses. */
export async function syncIdentities(services: JmapServices, access: Access): Promise<void> {
  const { name: account } = access.account;
  const settings = services.config.account(account);
  const addresses = services.config.accountAddresses(account).filter((x) => !x.startsWith("@"));
  const others = services.config.delegatedAddresses(account);
  const login = access.user.login.toLowerCase();
  // The address used to log in comes first.
  addresses.sort((x, y) => Number(y.toLowerCase() === login) - Number(x.toLowerCase() === login));
  addresses.push(...others);
  const stored = services.objects.list<Identity>(account, "identity").filter((i) =>
    i.value.ofAddress
  );
  for (const email of addresses) {
    if (stored.some((i) => i.value.email === email)) continue;
    const owner = services.config.account(services.config.accountFor(email) ?? account) ?? settings;
    const name = owner?.Destinations.get(email)?.FullName || owner?.FullName || "";
    const identity: Identity = {
      name,
      email,
      replyTo: null,
      bcc: null,
      textSignature: "",
      htmlSignature: "",
      ofAddress: true,
    };
    await services.objects.add(account, "identity", identity);
  }
  for (const i of stored) {
    if (!addresses.includes(i.value.email)) {
      await services.objects.remove(account, "identity", i.id);
    }
  }
}
