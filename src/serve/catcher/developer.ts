/**
 * What localserve does for developers at its SMTP ports: it accepts what real servers refuse, lets any name log in,
 * and fails on purpose.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { ServerTls } from "../../net/mod.ts";
import type { SaslBackend } from "../../sasl/mod.ts";
import {
  Faults,
  misbehaving,
  type SmtpBackend,
  type SmtpListenOptions,
} from "../../smtp/server/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { OwnAccounts } from "./own_accounts.ts";
import type { Relay } from "./release.ts";
import { anyLogin, anyLoginMechanisms, catchingSubmission } from "./submission.ts";

/** How localserve was started. */
export interface DeveloperOptions {
  /** Treats line ends, addresses and logins as `serve` does. */
  strict: boolean;
  /** Programs that send need the password of the account, and submission needs a login. */
  auth: boolean;
  /** The pages and the API need a login. */
  login: boolean;
  faults: Faults;
  /** Messages that are kept; the oldest are removed. Undefined for no limit. */
  maxMessages?: number;
  /** Milliseconds that messages are kept. Undefined for no limit. */
  maxAge?: number;
  /** Each address that receives mail has an account of its own. */
  accounts: boolean;
  /** Host names by which the pages and the API may be requested, besides localhost and addresses. */
  hosts?: readonly string[];
  /** Where messages may be released to. */
  relay?: Relay;
}

/** The defaults of localserve. */
export function defaultDeveloper(): DeveloperOptions {
  return { strict: false, auth: false, login: false, accounts: false, faults: new Faults() };
}

/** The backends of the SMTP ports of localserve. */
export function developerBackends(
  options: DeveloperOptions,
  config: Config,
  accounts: Accounts,
  sasl: SaslBackend,
  arriving: SmtpBackend,
  queueing: SmtpBackend,
): { receiving: SmtpBackend; submission: SmtpBackend } {
  const open = !options.auth && !options.strict;
  const receiving = options.accounts
    ? new OwnAccounts(config, accounts).forRecipients(arriving)
    : arriving;
  const logins = open ? anyLogin() : sasl;
  const submission = catchingSubmission(config, receiving, queueing, logins);
  return {
    receiving: misbehaving(open ? { ...receiving, sasl: logins } : receiving, options.faults),
    // With -strict, submitted messages go through the queue as with "serve".
    submission: misbehaving(options.strict ? queueing : submission, options.faults),
  };
}

/** A TLS whose handshakes fail. */
const brokenTls: ServerTls = {
  certificateFor: () => {
    throw new Error("STARTTLS is broken, as asked for");
  },
};

/** Options of a port for localserve. */
export function developerPort(options: DeveloperOptions, o: SmtpListenOptions): SmtpListenOptions {
  const open = !options.auth && !options.strict;
  const port: SmtpListenOptions = {
    ...o,
    ...(options.strict ? {} : { lenient: { localDomain: "localhost", loginOptional: open } }),
    ...(open ? { mechanisms: anyLoginMechanisms, allowPlainAuth: true } : {}),
  };
  if (o.implicitTls) return port;
  // Read for each connection: it can change while the server runs.
  return Object.defineProperty(port, "tls", {
    get: () => {
      const { StartTLS } = options.faults.settings;
      return StartTLS === "off" ? undefined : StartTLS === "broken" ? brokenTls : o.tls;
    },
  });
}
