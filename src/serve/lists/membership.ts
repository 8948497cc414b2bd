/** Subscribing to a list and leaving it, always confirmed by the address concerned. @module */
import type { ResolvedList } from "../../config/mod.ts";
import { NameError, packAddress, parseAddress } from "../../config/names.ts";
import type { RequestKind } from "../../lists/requests.ts";
import { admitNotice, already, confirmation, goodbye, welcome } from "../../lists/notices.ts";
import {
  isOwner,
  type ListServices,
  mayWriteTo,
  pagesUrl,
  sendNotice,
  tellOwners,
  tokenOf,
} from "./services.ts";

/** Why a request is refused. */
export class ListRefusal extends Error {
  override name = "ListRefusal";
}

/** An address in its stored form. @throws ListRefusal */
export function memberAddress(text: string): string {
  try {
    if (text.length > 320) throw new NameError("is too long");
    return packAddress(parseAddress(text.trim()));
  } catch (err) {
    if (!(err instanceof NameError)) throw err;
    throw new ListRefusal(
      `${JSON.stringify(text.slice(0, 100))} is not an address: it ${err.message}`,
    );
  }
}

/**
 * Handles a request to subscribe an address, to remove it, or to read: sends the address a message to confirm. Neither
 * that message nor this call reveals who is a member. Does nothing for an address that was written to often enough.
 * Durable when it resolves.
 * @throws ListRefusal for lists without subscription
 */
export async function ask(
  services: ListServices,
  list: ResolvedList,
  kind: RequestKind,
  address: string,
  name = "",
): Promise<void> {
  if (kind === "subscribe" && list.config.Subscribing === "closed") {
    throw new ListRefusal("the list takes no new members by itself: write to its owners");
  }
  const at = address.lastIndexOf("@");
  if (services.config.lookupAddress(address.slice(0, at), address.slice(at + 1)).kind === "list") {
    // Mail to a list goes to its members, including the confirmation code.
    throw new ListRefusal(`${address} is an address of a mailing list`);
  }
  const member = services.db.members.get(list.key, address);
  const reader = member !== undefined || isOwner(list, address);
  if (!mayWriteTo(services, list, address)) {
    services.log.info("list: no more messages to this address today", { list: list.key, address });
    return;
  }
  if (kind === "read" && !reader) {
    await services.db.durable();
    return;
  }
  if (kind !== "read" && (kind === "subscribe") === (member !== undefined && !member.dead)) {
    await sendNotice(services, list, already(list, address, kind === "subscribe"));
    await services.db.durable();
    return;
  }
  const request = services.db.requests.add({
    list: list.key,
    address,
    name: name.slice(0, 100),
    kind,
    state: "confirm",
    submitted: services.now(),
  });
  // A request waiting for an owner has been confirmed already.
  if (request.state === "confirm") {
    const token = tokenOf(services, list, "confirm", request.id);
    const pages = pagesUrl(services.config);
    const page = pages && `${pages}${list.key}/confirm/${token}`;
    await sendNotice(services, list, confirmation(list, kind, address, token, page));
  }
  await services.db.durable();
  services.log.info("list: confirmation asked for", { list: list.key, address, kind });
}

/** The outcome of a confirmed request. */
export type Confirmed = "subscribed" | "waits" | "left" | { reads: string };

/** Carries out a request. Durable when it resolves. @throws ListRefusal */
export async function confirmRequest(
  services: ListServices,
  list: ResolvedList,
  id: number,
): Promise<Confirmed> {
  const request = services.db.requests.get(list.key, id, services.now());
  if (request === undefined || request.state !== "confirm") {
    throw new ListRefusal("this was confirmed before, or is too old: ask again");
  }
  const { kind, address, name } = request;
  if (kind === "read") {
    services.db.requests.remove(id);
    await services.db.durable();
    return { reads: address };
  }
  if (kind === "unsubscribe") {
    services.db.requests.remove(id);
    await leave(services, list, address);
    return "left";
  }
  if (list.config.Subscribing === "closed") {
    throw new ListRefusal("the list takes no new members by itself: write to its owners");
  }
  if (
    list.config.Subscribing === "approve" &&
    services.db.members.get(list.key, address) === undefined
  ) {
    services.db.requests.awaitApproval(id, services.now());
    const token = tokenOf(services, list, "admit", id);
    await tellOwners(
      services,
      list,
      (to) => admitNotice(list, to, request, token, pagesUrl(services.config)),
    );
    await services.db.durable();
    return "waits";
  }
  await join(services, list, address, name);
  return "subscribed";
}

async function join(
  services: ListServices,
  list: ResolvedList,
  address: string,
  name: string,
): Promise<void> {
  services.db.members.add(list.key, [{ address, name }], services.now());
  const member = services.db.members.get(list.key, address)!;
  services.db.members.revive(list.key, member.id);
  await services.db.durable();
  services.log.info("list: new member", { list: list.key, address });
  await sendNotice(services, list, welcome(list, address));
}

/** An owner lets somebody in, or not. Durable when it resolves. @throws ListRefusal */
export async function admit(
  services: ListServices,
  list: ResolvedList,
  id: number,
  letIn: boolean,
): Promise<void> {
  const request = services.db.requests.get(list.key, id, services.now());
  if (request === undefined || request.state !== "approve") {
    throw new ListRefusal("this was decided before, or is too old");
  }
  if (letIn) return await join(services, list, request.address, request.name);
  services.db.requests.remove(id);
  await services.db.durable();
}

/** Removes a member; durable when it resolves. False if there was none. */
export async function leave(
  services: ListServices,
  list: ResolvedList,
  address: string,
): Promise<boolean> {
  const gone = services.db.members.remove(list.key, address);
  await services.db.durable();
  if (gone) {
    services.log.info("list: member left", { list: list.key, address });
    if (mayWriteTo(services, list, address)) {
      await sendNotice(services, list, goodbye(list, address));
    }
  }
  return gone;
}
