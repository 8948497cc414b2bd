/** The key that incoming mail of an account is encrypted to, for its page. @module */
import type { encryptionCalls } from "../../../webmail/account/encryption_api.ts";
import { encryptionKeyOf, setEncryptionKey } from "../../delivery/sealing.ts";
import { KeyError } from "../../encryption/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";

interface Options {
  withAccount<T>(name: string, fn: (account: Account) => T | Promise<T>): Promise<T>;
}

/** Handlers of the page's calls. */
export function encryptionHandlers(
  options: Options,
): CallHandlers<typeof encryptionCalls, PageContext> {
  return {
    async Encryption(_r, context) {
      const found = await options.withAccount(context.session!.account, encryptionKeyOf);
      return {
        key: found === undefined ? null : {
          kind: found.info.kind,
          name: found.info.name,
          fingerprint: found.info.fingerprint,
          expires: found.info.expires ?? null,
          set: found.set,
        },
      };
    },
    async EncryptionSet({ key }, context) {
      try {
        await options.withAccount(
          context.session!.account,
          (account) => setEncryptionKey(account, key ?? undefined, Date.now()),
        );
      } catch (err) {
        if (err instanceof KeyError) throw new UserError(err.message, { cause: err });
        throw err;
      }
      return {};
    },
  };
}
