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

/** Whether the user of an open page has proved again who they are. @throws UserError */
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
  withAccount<T>(name: string, fn: (a: Account) => T | Promise<T>): Promise<T>;
}

/** Attempts that are shown. */
const maxShown = 200;

/** What was asked for again. */
export interface Given {
  current: string;
  totp?: string;
}

/** Asks the user of an open page again who they are. @throws UserError, HttpError 429 */
export async function confirmUser(
  o: Pick<Options, "limiter" | "checkAgain">,
  c: PageContext,
  account: Account,
  given: Given,
): Promise<void> {
  const { credentials } = account;
  const who = { service: "webaccount", login: c.session!.login } as const;
  await confirm(o.limiter, c.req, who, async () => {
    if (!await o.checkAgain(c.session!, account, given.current, c.req.remoteIp)) return "wrong";
    if (!credentials.hasSecondFactor) return { account: account.name };
    if (!given.totp) return "second";
    return await credentials.checkSecondFactor(given.totp, Date.now())
      ? { account: account.name }
      : "wrongCode";
  });
}

/** Handlers of the page's calls. */
export function securityHandlers(o: Options): CallHandlers<typeof securityCalls, PageContext> {
  const { config } = o;
  const nameOf = (c: PageContext) => c.session!.account;

  /** Runs with the account open once its user was asked again. @throws UserError, HttpError 429 */
  function confirmed<T>(
    c: PageContext,
    given: Given,
    fn: (a: Account) => T | Promise<T>,
  ): Promise<T> {
    return o.withAccount(nameOf(c), async (account) => {
      await confirmUser(o, c, account, given);
      return await fn(account);
    });
  }
  const keysOf = (c: PageContext) =>
    (o.tlsKeys()?.list() ?? []).filter((k) => config.accountFor(k.login) === nameOf(c));

  return {
    Security: (_r, c) =>
      o.withAccount(nameOf(c), (account) => ({
        passkeys: listPasskeys(account),
        secondFactor: account.credentials.hasSecondFactor,
        recoveryCodes: account.credentials.recoveryCodes,
        appPasswords: account.credentials.appPasswords(),
        tlsKeys: keysOf(c),
        attempts: o.loginLog()?.list(nameOf(c), maxShown) ?? [],
      })),
    SecondFactorBegin: (_r, c) => newFactor(config.static.Hostname, c.session!.login),
    SecondFactorOn: ({ key, code, ...given }, c) =>
      confirmed(c, given, async ({ credentials }) => {
        if (credentials.hasSecondFactor) throw new UserError("there is a second factor already");
        const codes = await credentials.enableTotp(
          checkedKey(key),
          code.replace(/\s/g, ""),
          Date.now(),
          c.session!.id,
        );
        if (codes === undefined) throw new UserError(wrongFirstCode);
        return { recoveryCodes: codes };
      }),
    SecondFactorOff: (given, c) =>
      confirmed(c, given, async ({ credentials }) => {
        await credentials.disableTotp();
        return {};
      }),
    PasskeyBegin: (_r, c) =>
      o.withAccount(nameOf(c), (account) => ({
        challenge: o.challenges.make(),
        userHandle: Buffer.from(account.name).toString("base64url"),
        userName: c.session!.login,
        algorithms: passkeyAlgorithms,
        existing: credentialIds(account).map((id) => Buffer.from(id).toString("base64url")),
      })),
    PasskeyAdd: ({ name, passkey, ...given }, c) =>
      confirmed(c, given, async (account) => {
        let checked;
        try {
          checked = checkNewPasskey(passkey, placeOf(c.req), o.challenges);
        } catch (e) {
          if (!(e instanceof PasskeyError)) throw e;
          throw new UserError(`the passkey can't be used: ${e.message}`, { cause: e });
        }
        if (!await addPasskey(account, { ...checked, name })) {
          throw new UserError(`it is there already, or there are ${maxPasskeys}: remove one first`);
        }
        return {};
      }),
    PasskeyRemove: ({ id, ...given }, c) =>
      confirmed(c, given, async (account) => {
        if (!await removePasskey(account, id)) throw new HttpError(404, "no such passkey");
        account.credentials.onChange?.("passkey", c.session!.id);
        return {};
      }),
    AppPasswordAdd: ({ name, ...given }, c) =>
      confirmed(c, given, async ({ credentials }) => {
        const password = await credentials.addAppPassword(name);
        if (password === undefined) {
          throw new UserError(`there are ${maxAppPasswords} already: remove one that is not used`);
        }
        return { password };
      }),
    AppPasswordRemove: ({ id }, c) =>
      o.withAccount(nameOf(c), async ({ credentials }) => {
        if (!await credentials.removeAppPassword(id)) throw new HttpError(404, "no such password");
        return {};
      }),
    TlsKeyAdd: ({ login, certificate, name, ...given }, c) =>
      confirmed(c, given, async () => {
        if (config.accountFor(login) !== nameOf(c)) {
          throw new UserError(`${login} is not an address of yours`);
        }
        try {
          await o.tlsKeys()!.add(
            { login: login.toLowerCase(), account: nameOf(c) },
            certificate,
            name,
          );
        } catch (e) {
          if (e instanceof TlsKeyError) throw new UserError(e.message, { cause: e });
          throw e;
        }
        return {};
      }),
    async TlsKeyRemove({ fingerprint }, c) {
      if (!keysOf(c).some((k) => k.fingerprint === fingerprint)) {
        throw new HttpError(404, "no such key");
      }
      await o.tlsKeys()!.remove(fingerprint);
      return {};
    },
    OtherSessionsEnd(_r, c) {
      o.sessions.endAll(nameOf(c), c.session!.id);
      return {};
    },
  };
}
