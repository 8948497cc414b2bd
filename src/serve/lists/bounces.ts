/**
 * Bounces of messages to members. Each member has its own sender address (VERP), so whatever arrives there is
 * about that member. After bounces on several days a probe is sent; if it bounces too, the member gets no more mail.
 *
 * @module
 */
import type { ResolvedList } from "../../config/mod.ts";
import { parseDsn } from "../../mail/dsn/parse.ts";
import type { HeaderField } from "../../mail/header/header.ts";
import { givenUp, probe } from "../../lists/notices.ts";
import { bounceAddress, type ListServices, sendNotice, tellOwners } from "./services.ts";

/** Days with a bounce before a probe is sent. */
const usualBounces = 5;
/** Milliseconds within which a probe may bounce. */
const probeTime = 7 * 86_400_000;

/** The permanent failure in a report; undefined if there is none. */
export function bounceIn(
  message: Uint8Array,
  fields: readonly HeaderField[],
  nullSender: boolean,
): string | undefined {
  const dsn = parseDsn(message);
  if (dsn !== undefined) {
    const failed = dsn.recipients.find((r) => r.action === "failed");
    return failed && (failed.diagnosticCode?.value || failed.status);
  }
  // Vacation replies, which some programs send with a null sender.
  const auto = fields.find((f) => f.name === "auto-submitted")?.value.trim().toLowerCase() ?? "";
  if (!nullSender || auto.startsWith("auto-replied")) return undefined;
  return fields.find((f) => f.name === "subject")?.value ?? "a report without a subject";
}

/** Handles a bounce of a message to a member. Durable when it resolves. */
export async function noteBounce(
  services: ListServices,
  list: ResolvedList,
  token: { purpose: "bounce" | "probe"; id: number },
  text: string,
): Promise<void> {
  const { id, purpose } = token;
  const before = services.db.members.byId(list.key, id);
  if (before === undefined || before.dead) return;
  // deno-lint-ignore no-control-regex
  const why = text.replace(/[\x00-\x1f\x7f]+/g, " ").trim().slice(0, 400);
  if (purpose === "probe") {
    // A late bounce, after the address was enabled again, says nothing new.
    if (before.probeUntil === 0) return;
    services.db.members.giveUp(list.key, id);
    services.log.info("list: member given up", { list: list.key, address: before.address, why });
    await services.db.durable();
    await tellOwners(services, list, (to) => givenUp(list, to, before.address, why));
    return;
  }
  const member = services.db.members.noteBounce(list.key, id, why, services.now())!;
  if (member.bounces >= usualBounces && member.probeUntil === 0) {
    services.db.members.setProbe(list.key, id, services.now() + probeTime);
    await sendNotice(
      services,
      list,
      probe(list, member.address, why),
      bounceAddress(services, list, "probe", id),
    );
  }
  await services.db.durable();
}
