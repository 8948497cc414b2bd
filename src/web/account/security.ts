/** Ways to log in to an account, for its page. @module */
import { Buffer } from "node:buffer";
import type { securityCalls } from "../../../webmail/account/security_api.ts";
import type { Config } from "../../config/mod.ts";
import type { LoginGuard } from "../../net/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { maxAppPasswords } from "../../store/logins/app_passwords.ts";
import type { LoginLog } from "../../store/logins/attempts.ts";
import {
  addPasskey,
  credentialIds,
  listPasskeys,
  maxPasskeys,
  removePasskey,
} from "../../store/logins/passkeys.ts";
import { TlsKeyError, type TlsKeys } from "../../store/logins/tls_keys.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import {
  type Challenges,
  checkedKey,
  checkNewPasskey,
  confirm,
  newFactor,
  type PageContext,
  passkeyAlgorithms,
  PasskeyError,
  placeOf,
  type Sessions,
  wrongFirstCode,
} from "../login/mod.ts";

/** Checks the renewed authentication of an open page's user. @throws UserError */
export type CheckAgain = (
  session: { login: string; created: number },
  account: Account,
  password: string,
  remoteIp: string,
) => Promise<boolean>;

interface Options {
  config: Config;
  limiter: LoginGuard;
  checkAgain: CheckAgain;
  sessions: Sessions;
  challenges: Challenges;
  tlsKeys: () => TlsKeys | undefined;
  loginLog: () => LoginLog | undefined;
  withAccount<T>(name: string, fn: (account: Account) => T | Promise<T>): Promise<T>;
}

/** Login attempts shown. */
const maxShown = 200;

/** The renewed authentication. */
export interface Given {
  current: string;
  totp?: string;
}

/** Requires the user of an open page to authenticate again. @throws UserError, HttpError 429 */
export async function confirmUser(
  o: Pick<Options, "limiter" | "checkAgain">,
  context: PageContext,
  account: Account,
  given: Given,
): Promise<void> {
  const { credentials } = account;
  const who = { service: "webaccount", login: context.session!.login } as const;
  await confirm(o.limiter, context.req, who, async () => {
    if (!await o.checkAgain(context.session!, account, given.current, context.req.remoteIp)) {
      return "wrong";
    }
    if (!credentials.hasSecondFactor) return { account: account.name };
    if (!given.totp) return "second";
    return await credentials.checkSecondFactor(given.totp, Date.now())
      ? { account: account.name }
      : "wrongCode";
  });
}

/** Handlers of the page's calls. */
export function securityHandlers(
  options: Options,
): CallHandlers<typeof securityCalls, PageContext> {
  const { config } = options;
  const nameOf = (c: PageContext) => c.session!.account;

  /** Runs with the account open after its user has authenticated again. @throws UserError, HttpError 429 */
  function confirmed<T>(
    context: PageContext,
    given: Given,
    fn: (account: Account) => T | Promise<T>,
  ): Promise<T> {
    return options.withAccount(nameOf(context), async (account) => {
      await confirmUser(options, context, account, given);
      return await fn(account);
    });
  }
  const keysOf = (c: PageContext) =>
    (options.tlsKeys()?.list() ?? []).filter((k) => config.accountFor(k.login) === nameOf(c));

  return {
    Security: (_r, context) =>
      options.withAccount(nameOf(context), (account) => ({
        passkeys: listPasskeys(account),
        secondFactor: account.credentials.hasSecondFactor,
        recoveryCodes: account.credentials.recoveryCodes,
        appPasswords: account.credentials.appPasswords(),
        tlsKeys: keysOf(context),
        attempts: options.loginLog()?.list(nameOf(context), maxShown) ?? [],
      })),
    SecondFactorBegin: (_r, c) => newFactor(config.static.Hostname, c.session!.login),
    SecondFactorOn: ({ key, code, ...given }, context) =>
      confirmed(context, given, async ({ credentials }) => {
        if (credentials.hasSecondFactor) throw new UserError("there is a second factor already");
        const codes = await credentials.enableTotp(
          checkedKey(key),
          code.replace(/\s/g, ""),
          Date.now(),
          context.session!.id,
        );
        if (codes === undefined) throw new UserError(wrongFirstCode);
        return { recoveryCodes: codes };
      }),
    SecondFactorOff: (given, context) =>
      confirmed(context, given, async ({ credentials }) => {
        await credentials.disableTotp();
        return {};
      }),
    PasskeyBegin: (_r, context) =>
      options.withAccount(nameOf(context), (account) => ({
        challenge: options.challenges.make(),
        userHandle: Buffer.from(account.name).toString("base64url"),
        userName: context.session!.login,
        algorithms: passkeyAlgorithms,
        existing: credentialIds(account).map((id) => Buffer.from(id).toString("base64url")),
      })),
    PasskeyAdd: ({ name, passkey, ...given }, context) =>
      confirmed(context, given, async (account) => {
        let checked;
        try {
          checked = checkNewPasskey(passkey, placeOf(context.req), options.challenges);
        } catch (e) {
          if (!(e instanceof PasskeyError)) throw e;
          throw new UserError(`the passkey can't be used: ${e.message}`, { cause: e });
        }
        if (!await addPasskey(account, { ...checked, name })) {
          throw new UserError(`it is there already, or there are ${maxPasskeys}: remove one first`);
        }
        return {};
      }),
    PasskeyRemove: ({ id, ...given }, context) =>
      confirmed(context, given, async (account) => {
        if (!await removePasskey(account, id)) throw new HttpError(404, "no such passkey");
        account.credentials.onChange?.("passkey", context.session!.id);
        return {};
      }),
    AppPasswordAdd: ({ name, ...given }, context) =>
      confirmed(context, given, async ({ credentials }) => {
        const password = await credentials.addAppPassword(name);
        if (password === undefined) {
          throw new UserError(`there are ${maxAppPasswords} already: remove one that is not used`);
        }
        return { password };
      }),
    AppPasswordRemove: ({ id }, context) =>
      options.withAccount(nameOf(context), async ({ credentials }) => {
        if (!await credentials.removeAppPassword(id)) throw new HttpError(404, "no such password");
        return {};
      }),
    TlsKeyAdd: ({ login, certificate, name, ...given }, context) =>
      confirmed(context, given, async () => {
        if (config.accountFor(login) !== nameOf(context)) {
          throw new UserError(`${login} is not an address of yours`);
        }
        try {
          await options.tlsKeys()!.add(
            { login: login.toLowerCase(), account: nameOf(context) },
            certificate,
            name,
          );
        } catch (e) {
          if (e instanceof TlsKeyError) throw new UserError(e.message, { cause: e });
          throw e;
        }
        return {};
      }),
    async TlsKeyRemove({ fingerprint }, context) {
      if (!keysOf(context).some((k) => k.fingerprint === fingerprint)) {
        throw new HttpError(404, "no such key");
      }
      await options.tlsKeys()!.remove(fingerprint);
      return {};
    },
    OtherSessionsEnd(_r, context) {
      options.sessions.endAll(nameOf(context), context.session!.id);
      return {};
    },
  };
}
