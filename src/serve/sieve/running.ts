/**
 * Running scripts on an arriving message: which ones, and their input.
 *
 * @module
 */
import { catchallSeparators } from "../../config/mod.ts";
import type { Decision } from "../../delivery/analysis_types.ts";
import { accountMailboxes, localZone, serverEnvironment } from "../../delivery/sieve/context.ts";
import {
  executeSieveAsync,
  keptAfter,
  type SieveContext,
  SieveMail,
  type SieveProblem,
  type SieveResult,
  type SieveScript,
} from "../../sieve/mod.ts";
import { AddressLists } from "../../delivery/sieve/lists.ts";
import { countPanic } from "../../metrics/mod.ts";
import { addressText } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices, SieveServices } from "../arrival/services.ts";

/** Scripts for a message, in their order. */
export interface Scripts {
  run: SieveScript[];
  /** The account's own script was stored by another version, and isn't run. */
  broken: SieveProblem[] | undefined;
}

/** Scripts for mail of an account to an address of a domain; undefined if there is none. */
export function scriptsFor(
  services: SieveServices,
  account: string,
  domain: string,
): Scripts | undefined {
  const own = services.db.scripts.compiledActive(account);
  const before = services.site.around("before", domain);
  const after = services.site.around("after", domain);
  if (own === undefined && before.length + after.length === 0) return undefined;
  const broken = Array.isArray(own) ? own : undefined;
  return {
    run: [
      ...before,
      ...(own === undefined || Array.isArray(own) ? [] : [own as SieveScript]),
      ...after,
    ],
    broken,
  };
}

/** Runs the scripts, without carrying out their actions. */
export async function runScripts(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  decision: Decision,
  prefix: Uint8Array,
  scripts: Scripts,
): Promise<SieveResult> {
  const { arrived, transaction, session } = incoming;
  const { address, notify, originalRecipient } = plan.recipient;
  const { db, site } = services.sieve;
  const own = services.config.domain(address.domain ?? "");
  const separators = own ? catchallSeparators(own.config) : [];
  const lists = await AddressLists.of(account, scripts.run);
  const context: SieveContext = {
    message: new SieveMail({
      prefix,
      size: arrived.size,
      read: (from, to) => arrived.read(from, to),
      root: arrived.root,
    }),
    envelope: {
      from: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
      to: addressText(address),
      ret: transaction.ret,
      envelopeId: transaction.envelopeId,
      notify,
      originalRecipient: originalRecipient &&
        `${originalRecipient.type};${originalRecipient.address}`,
    },
    mailboxes: accountMailboxes(account),
    now: services.now(),
    zone: localZone,
    environment: (name) =>
      name === "remote-ip"
        ? session.remoteIp
        : serverEnvironment(services.config.static.Hostname, name),
    inList: (list, value) => lists.has(list, value),
    include: (name, where) =>
      where === "personal" ? db.scripts.compiled(account.name, name) : site.global(name),
    seen: (key) => db.memory.seen(account.name, key),
    spamScore: decision.spamScore,
    virus: decision.virus,
    isOwnAddress: (a) => services.config.accountFor(a) === account.name,
    keepMailbox: decision.mailbox,
    separators: separators.length > 0 ? separators : ["+"],
    limits: { redirects: 16 },
  };
  try {
    return await executeSieveAsync(scripts.run, context);
  } catch (err) {
    // A bug of ours: the message is kept, as with any failure.
    countPanic("delivery");
    session.log.error("running scripts", { err: err as Error, account: account.name });
    return keptAfter({
      script: "",
      line: 1,
      column: 1,
      message: "the server could not run the script",
    });
  }
}
