/** Settings of an account between domains.conf and the page. @module */
import type { Destination, JunkSettings } from "../../../webmail/account/api.ts";
import {
  type Account as AccountConfig,
  compileRegExp,
  type Config,
  type Destination as ConfiguredDestination,
  newAccountJunkSettings,
  RegExpSyntaxError,
} from "../../config/mod.ts";
import { UserError } from "../http/mod.ts";

/** Changes an account in domains.conf. @throws UserError with what the configuration's check says */
export async function changeAccount(
  config: Config,
  name: string,
  change: (a: AccountConfig) => void,
): Promise<void> {
  try {
    await config.writeDynamic((d) => {
      const a = d.Accounts.get(name);
      if (a === undefined) throw new UserError("the account is gone");
      change(a);
    });
  } catch (e) {
    if (e instanceof UserError) throw e;
    if (e instanceof Error && e.name === "ConfigError") {
      // Without the file's name and line, which are the administrator's.
      throw new UserError(e.message.replace(/^\S+:\d+: /gm, ""), { cause: e });
    }
    throw e;
  }
}

/** Addresses of an account, as the page shows them. */
export function destinationsOf(a: AccountConfig): Destination[] {
  return [...a.Destinations].map(([address, d]) => ({
    address,
    Mailbox: d.Mailbox,
    FullName: d.FullName,
    Rulesets: d.Rulesets.map((r) => ({
      SMTPMailFromRegexp: r.SMTPMailFromRegexp,
      MsgFromRegexp: r.MsgFromRegexp,
      VerifiedDomain: r.VerifiedDomain,
      HeadersRegexp: [...r.HeadersRegexp].map(([name, value]) => ({ name, value })),
      IsForward: r.IsForward,
      ListAllowDomain: r.ListAllowDomain,
      AcceptRejectsToMailbox: r.AcceptRejectsToMailbox,
      Mailbox: r.Mailbox,
      Comment: r.Comment,
    })),
  }));
}

function checkExpression(what: string, source: string): void {
  if (source === "") return;
  try {
    compileRegExp(source);
  } catch (e) {
    if (e instanceof RegExpSyntaxError) throw new UserError(`${what}: ${e.message}`);
    throw e;
  }
}

/** What the page sent, as domains.conf has it. @throws UserError */
export function checkedDestination(
  d: Destination,
): Pick<ConfiguredDestination, "Mailbox" | "FullName" | "Rulesets"> {
  return {
    Mailbox: d.Mailbox,
    FullName: d.FullName,
    Rulesets: d.Rulesets.map((r, i) => {
      const what = `rule ${i + 1}`;
      checkExpression(`${what}, envelope sender`, r.SMTPMailFromRegexp);
      checkExpression(`${what}, sender`, r.MsgFromRegexp);
      for (const h of r.HeadersRegexp) {
        checkExpression(`${what}, name of a header field`, h.name);
        checkExpression(`${what}, header field`, h.value);
      }
      return {
        ...r,
        HeadersRegexp: new Map(
          r.HeadersRegexp.map((h) => [h.name.toLowerCase(), h.value.toLowerCase()]),
        ),
      };
    }),
  };
}

export function junkOf(a: AccountConfig): JunkSettings {
  return {
    threshold: a.JunkFilter ? a.JunkFilter.Threshold : null,
    automaticFlags: a.AutomaticJunkFlags.Enabled,
    junkMailboxRegexp: a.AutomaticJunkFlags.JunkMailboxRegexp,
    neutralMailboxRegexp: a.AutomaticJunkFlags.NeutralMailboxRegexp,
    notJunkMailboxRegexp: a.AutomaticJunkFlags.NotJunkMailboxRegexp,
    rejectsMailbox: a.RejectsMailbox,
    keepRejects: a.KeepRejects,
  };
}

export function setJunk(a: AccountConfig, j: JunkSettings): void {
  checkExpression("junk mailboxes", j.junkMailboxRegexp);
  checkExpression("neutral mailboxes", j.neutralMailboxRegexp);
  checkExpression("mailboxes without junk", j.notJunkMailboxRegexp);
  if (j.threshold === null) a.JunkFilter = undefined;
  else {
    a.JunkFilter = {
      ...(a.JunkFilter ?? newAccountJunkSettings().JunkFilter!),
      Threshold: j.threshold,
    };
  }
  a.AutomaticJunkFlags = {
    Enabled: j.automaticFlags,
    JunkMailboxRegexp: j.junkMailboxRegexp,
    NeutralMailboxRegexp: j.neutralMailboxRegexp,
    NotJunkMailboxRegexp: j.notJunkMailboxRegexp,
  };
  a.RejectsMailbox = j.rejectsMailbox;
  a.KeepRejects = j.keepRejects;
}
