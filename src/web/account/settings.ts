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

/** Changes an account in domains.conf. @throws UserError with the error of the configuration's check */
export async function changeAccount(
  config: Config,
  name: string,
  change: (config: AccountConfig) => void,
): Promise<void> {
  try {
    await config.writeDynamic((value) => {
      const a = value.Accounts.get(name);
      if (a === undefined) throw new UserError("the account is gone");
      change(a);
    });
  } catch (e) {
    if (e instanceof UserError) throw e;
    if (e instanceof Error && e.name === "ConfigError") {
      // Without the file's name and line, which only concern the administrator.
      throw new UserError(e.message.replace(/^\S+:\d+: /gm, ""), { cause: e });
    }
    throw e;
  }
}

/** Addresses of an account, as the page shows them. */
export function destinationsOf(config: AccountConfig): Destination[] {
  return [...config.Destinations].map(([address, d]) => ({
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

/** The page's input in the form of domains.conf. @throws UserError */
export function checkedDestination(
  destination: Destination,
): Pick<ConfiguredDestination, "Mailbox" | "FullName" | "Rulesets"> {
  return {
    Mailbox: destination.Mailbox,
    FullName: destination.FullName,
    Rulesets: destination.Rulesets.map((r, i) => {
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

export function junkOf(config: AccountConfig): JunkSettings {
  return {
    threshold: config.JunkFilter ? config.JunkFilter.Threshold : null,
    automaticFlags: config.AutomaticJunkFlags.Enabled,
    junkMailboxRegexp: config.AutomaticJunkFlags.JunkMailboxRegexp,
    neutralMailboxRegexp: config.AutomaticJunkFlags.NeutralMailboxRegexp,
    notJunkMailboxRegexp: config.AutomaticJunkFlags.NotJunkMailboxRegexp,
    rejectsMailbox: config.RejectsMailbox,
    keepRejects: config.KeepRejects,
  };
}

export function setJunk(config: AccountConfig, settings: JunkSettings): void {
  checkExpression("junk mailboxes", settings.junkMailboxRegexp);
  checkExpression("neutral mailboxes", settings.neutralMailboxRegexp);
  checkExpression("mailboxes without junk", settings.notJunkMailboxRegexp);
  if (settings.threshold === null) config.JunkFilter = undefined;
  else {
    config.JunkFilter = {
      ...(config.JunkFilter ?? newAccountJunkSettings().JunkFilter!),
      Threshold: settings.threshold,
    };
  }
  config.AutomaticJunkFlags = {
    Enabled: settings.automaticFlags,
    JunkMailboxRegexp: settings.junkMailboxRegexp,
    NeutralMailboxRegexp: settings.neutralMailboxRegexp,
    NotJunkMailboxRegexp: settings.notJunkMailboxRegexp,
  };
  config.RejectsMailbox = settings.rejectsMailbox;
  config.KeepRejects = settings.keepRejects;
}
