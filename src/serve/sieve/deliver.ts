/**
 * Carrying out the actions of scripts for a message accepted for an account.
 *
 * @module
 */
import type { Account as AccountConfig } from "../../config/mod.ts";
import type { Decision } from "../../delivery/analysis_types.ts";
import type { DoneStep } from "../../delivery/sieve/done_log.ts";
import { type DeliveryOf, fileMessage, withEdited } from "../../delivery/sieve/filing.ts";
import {
  type Action,
  type Edited,
  problemText,
  type Redirect,
  type SieveResult,
} from "../../sieve/mod.ts";
import { type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Message, NewMessage } from "../../store/types.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { noteFailure } from "./failure_note.ts";
import { notification, vacationReply } from "./replies.ts";
import { AddressLists } from "../../delivery/sieve/lists.ts";
import { runScripts, type Scripts } from "./running.ts";
import { redirect, sendWritten, sieveActions } from "./sending.ts";

/** A message and its recipient. */
export interface ForScripts {
  plan: Plan;
  account: Account;
  conf: AccountConfig;
  decision: Decision;
  prefix: Uint8Array;
  message: IncomingMessage;
  /** The message in the form for the store. */
  stored: NewMessage;
}

/** The outcome. */
export interface Carried {
  /** The message is refused, and nothing was done. */
  refusal: SmtpError | undefined;
  /** The filed message, in the first of its mailboxes. */
  delivered: Message | undefined;
  /** It was discarded. */
  discarded: boolean;
  /** A script sent a reply or decided not to: no other one is sent. */
  answered: boolean;
}

/** Most members of a list that a message is sent on to: for more there are mailing lists. */
const maxListed = 50;

/** RFC 6134 §2.5: whom a list stands for, or why nothing can be sent to it. */
async function addressesOf(account: Account, list: string): Promise<readonly string[] | string> {
  const members = (await AddressLists.of(account)).members(list);
  if (members === undefined) return `there is no group of contacts ${list}`;
  if (members.length === 0) return `nobody in ${list} has an address`;
  if (members.length > maxListed) return `more than ${maxListed} people are in ${list}`;
  return members;
}

/** RFC 5429 §2.1: the text of a refusal, in a form fit for an SMTP answer. */
function refusalOf(reason: string, utf8: boolean): SmtpError {
  const text = utf8 ? reason : reason.replace(/[^\p{ASCII}]/gu, "?");
  return new SmtpError(
    550,
    "7.1",
    text.trim().replace(/\r?\n/g, "\n").split("\n").slice(0, 20).join("\n") || "refused",
  );
}

/**
 * Runs the scripts and carries out their actions; what is filed and sent is durable when it resolves.
 * @param keep whether a keep files the message; otherwise it is only forwarded
 * @throws store and queue errors without which the message would be lost; the sender tries again then
 */
export async function carryOutScripts(
  services: ReceivingServices,
  incoming: Incoming,
  f: ForScripts,
  scripts: Scripts,
  keep: boolean,
): Promise<Carried> {
  const { account } = f;
  const result = await runScripts(
    services,
    incoming,
    f.plan,
    account,
    f.decision,
    f.prefix,
    scripts,
  );
  const steps: DoneStep[] = [];
  const reject = result.actions.find((a) => a.kind === "reject");
  if (reject) {
    sieveActions.inc({ action: "reject" });
    note(services, incoming, f, undefined, [step(reject, "refused")], result, scripts);
    incoming.session.log.info("refused by a script", { account: account.name, line: reject.line });
    return {
      refusal: refusalOf(reject.reason, incoming.transaction.smtpUtf8),
      delivered: undefined,
      discarded: true,
      answered: true,
    };
  }
  const delivered = await carryOutActions(services, incoming, f, result, keep, steps);
  try {
    await services.sieve.db.memory.remember(account.name, result.remembered);
    note(services, incoming, f, delivered, steps, result, scripts);
  } catch (err) {
    // The actions are done, and the message must not be sent again.
    incoming.session.log.error("noting what scripts did", {
      err: err as Error,
      account: account.name,
    });
  }
  await tellOfFailure(services, incoming, f, result, scripts);
  return {
    refusal: undefined,
    delivered,
    discarded: result.actions.some((a) => a.kind === "discard") &&
      !result.actions.some((a) => a.kind === "keep" || a.kind === "fileinto"),
    answered: result.actions.some((a) => a.kind === "vacation"),
  };
}

const step = (a: Action, text: string): DoneStep => ({ script: a.script, line: a.line, text });

async function carryOutActions(
  services: ReceivingServices,
  incoming: Incoming,
  scripts: ForScripts,
  result: SieveResult,
  keep: boolean,
  steps: DoneStep[],
): Promise<Message | undefined> {
  const { account } = scripts;
  const d: DeliveryOf = {
    account,
    stored: scripts.stored,
    keepMailbox: scripts.decision.mailbox,
    tempDir: services.tempDir,
  };
  let delivered: Message | undefined;
  let unsent = false;
  // Filing first: if the rest fails, the sender tries again, and a duplicate is better than a lost message.
  for (const a of result.actions) {
    if (a.kind !== "keep" && a.kind !== "fileinto") continue;
    if (a.kind === "keep" && !keep) continue;
    const filed = await fileMessage(d, a);
    delivered ??= filed.message;
    sieveActions.inc({ action: a.kind });
    steps.push(
      step(
        a,
        `${
          a.kind === "keep" && a.implicit ? "kept in" : "filed into"
        } ${filed.mailbox}${filed.note}`,
      ),
    );
  }
  /** A failure to send something for a filed message must not make its sender retry. */
  const orKept = async (what: string, send: () => Promise<string>): Promise<string> => {
    try {
      return await send();
    } catch (err) {
      if (!delivered) throw err;
      incoming.session.log.error(`sending a ${what} of a script`, {
        err: err as Error,
        account: account.name,
      });
      return `no ${what}: the server could not write it`;
    }
  };
  const sendOn = async (a: Extract<Action, { edited: Edited }>, to: Redirect) => {
    const went = await withEdited(
      d,
      a.edited,
      (file) => redirect(services, incoming, scripts.plan, account, to, scripts.message, file),
    );
    sieveActions.inc({ action: went ? "redirect" : "failed" });
    if (!went) unsent = true;
    steps.push(
      step(
        a,
        went
          ? `sent on to ${to.address}`
          : `not sent on to ${to.address}: it came from there, or mail to it fails`,
      ),
    );
  };
  for (const a of result.actions) {
    switch (a.kind) {
      case "discard":
        sieveActions.inc({ action: "discard" });
        steps.push(step(a, "discarded"));
        break;
      case "redirect":
        await sendOn(a, a.redirect);
        break;
      case "redirectToList": {
        const to = await addressesOf(account, a.list);
        if (typeof to === "string") {
          unsent = true;
          steps.push(step(a, `not sent on: ${to}`));
          break;
        }
        for (const address of to) await sendOn(a, { ...a.redirect, address });
        break;
      }
      case "vacation":
        steps.push(step(a, await orKept("reply", () => reply(services, incoming, scripts, a))));
        break;
      case "notify":
        steps.push(
          step(a, await orKept("notification", () => notify(services, incoming, scripts, a))),
        );
        break;
    }
  }
  // A message that got nowhere must not be lost.
  if (unsent && !delivered) {
    const kept = result.actions.some((a) => a.kind === "keep" || a.kind === "fileinto");
    if (!kept && !steps.some((x) => x.text.startsWith("sent on"))) {
      const filed = await fileMessage(d, {
        kind: "keep",
        line: 0,
        script: "",
        flags: undefined,
        edited: undefined,
        implicit: true,
      });
      delivered = filed.message;
      steps.push({ script: "", line: 0, text: `kept in ${filed.mailbox}` });
    }
  }
  return delivered;
}

async function reply(
  services: ReceivingServices,
  incoming: Incoming,
  scripts: ForScripts,
  extract: Extract<Action, { kind: "vacation" }>,
): Promise<string> {
  const w = vacationReply(
    services,
    incoming,
    scripts.plan,
    scripts.account,
    scripts.conf,
    extract.vacation,
  );
  if (typeof w === "string") return `no reply: ${w}`;
  const { memory } = services.sieve.db;
  const key = JSON.stringify(["vacation", extract.vacation.handle, w.to[0].toLowerCase()]);
  if (memory.seen(scripts.account.name, key)) return "no reply: the sender had one lately";
  await sendWritten(services, incoming, scripts.plan, scripts.account, w, `vacation ${key}`);
  await memory.remember(scripts.account.name, [{ key, seconds: extract.vacation.seconds }]);
  await fileCopy(services, scripts, extract.vacation.fcc, w.bytes);
  sieveActions.inc({ action: "vacation" });
  return `replied to ${w.to[0]}`;
}

async function notify(
  services: ReceivingServices,
  incoming: Incoming,
  scripts: ForScripts,
  extract: Extract<Action, { kind: "notify" }>,
): Promise<string> {
  const w = notification(services, incoming, scripts.plan, scripts.account, extract.notification);
  if (typeof w === "string") return `no notification: ${w}`;
  await sendWritten(
    services,
    incoming,
    scripts.plan,
    scripts.account,
    w,
    `notify ${extract.line} ${extract.notification.method}`,
  );
  await fileCopy(services, scripts, extract.notification.fcc, w.bytes);
  sieveActions.inc({ action: "notify" });
  return `notified ${w.to.join(", ")}`;
}

/** RFC 8580: a copy of a sent message. */
async function fileCopy(
  services: ReceivingServices,
  scripts: ForScripts,
  filing: Extract<Action, { kind: "fileinto" }>["filing"] | undefined,
  bytes: Uint8Array,
): Promise<void> {
  if (!filing) return;
  const d = {
    account: scripts.account,
    stored: scripts.stored,
    keepMailbox: "Inbox",
    tempDir: services.tempDir,
  };
  await fileMessage(d, { kind: "fileinto", line: 0, script: "", filing, edited: [bytes] }, false);
}

/** Writes to the log shown to users. */
function note(
  services: ReceivingServices,
  incoming: Incoming,
  f: ForScripts,
  delivered: Message | undefined,
  steps: DoneStep[],
  result: SieveResult,
  scripts: Scripts,
): void {
  const { summary } = incoming.arrived.description;
  const error = result.error
    ? problemText(result.error, result.error.script)
    : scripts.broken && `the active script isn't run: ${problemText(scripts.broken[0])}`;
  // Only actions of scripts are logged.
  if (!error && steps.every((x) => x.line === 0)) return;
  services.sieve.db.log.add(f.account.name, delivered?.emailId, {
    from: summary.from[0]?.address ?? "",
    subject: summary.subject,
    steps,
    error,
  });
}

async function tellOfFailure(
  services: ReceivingServices,
  incoming: Incoming,
  f: ForScripts,
  result: SieveResult,
  scripts: Scripts,
): Promise<void> {
  const why = result.error
    ? problemText(result.error, result.error.script || "script")
    : scripts.broken && problemText(scripts.broken[0], "script");
  if (!why) return;
  sieveActions.inc({ action: "failed" });
  incoming.session.log.info("script failed", { account: f.account.name, why });
  const { summary } = incoming.arrived.description;
  try {
    await noteFailure(services, f.account, why, {
      from: summary.from[0]?.address ?? "",
      subject: summary.subject,
    });
  } catch (err) {
    // The message is delivered, and must not be sent again.
    incoming.session.log.error("noting a script's failure", {
      err: err as Error,
      account: f.account.name,
    });
  }
}
