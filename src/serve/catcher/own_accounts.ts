/**
 * An account for each address that receives mail (`-accounts`): created with the first message sent to it,
 * with the address as its login and the password of all accounts of localserve.
 *
 * @module
 */
import {
  account as accountType,
  type Config,
  destination as destinationType,
  domain as domainType,
  localserveAccount,
  localservePassword,
} from "../../config/mod.ts";
import { NameError, packAddress, parseAddress } from "../../config/names.ts";
import { Log } from "../../log/mod.ts";
import { isSafeName } from "../../platform/paths.ts";
import { type Address, addressText, type SmtpBackend } from "../../smtp/server/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { setAccountPassword } from "../logins.ts";

/** Accounts that are created; mail for further addresses goes to localserve's own. */
const maxAccounts = 100;

/** An address without its subaddress, as in domains.conf; undefined if it can't have an account. */
function ownAddress(address: Address): { key: string; domain: string } | undefined {
  const plus = address.localpart.indexOf("+");
  const localpart = plus > 0 ? address.localpart.slice(0, plus) : address.localpart;
  try {
    const parsed = parseAddress(addressText({ ...address, localpart }));
    return { key: packAddress(parsed).toLowerCase(), domain: parsed.domain.unicode };
  } catch (err) {
    if (err instanceof NameError) return undefined;
    throw err;
  }
}

/** Creates accounts. */
export class OwnAccounts {
  readonly #config: Config;
  readonly #accounts: Accounts;
  /** Accounts being created, so that simultaneous messages create only one. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #log = new Log("catcher");

  constructor(config: Config, accounts: Accounts) {
    this.#config = config;
    this.#accounts = accounts;
  }

  /** Makes sure that an address has its account, unless it leads to one already. */
  async ensure(address: Address): Promise<void> {
    const found = this.#config.lookupAddress(address.localpart, address.domain ?? "");
    // A catch-all has no localpart.
    if (found.kind !== "account" || found.account !== localserveAccount) return;
    if (!found.canonical.startsWith("@")) return;
    const own = ownAddress(address);
    if (own === undefined || !isSafeName(own.key)) return;
    let making = this.#making.get(own.key);
    if (making === undefined) {
      making = this.#make(own.key, own.domain).finally(() => this.#making.delete(own.key));
      this.#making.set(own.key, making);
    }
    await making;
  }

  async #make(key: string, domain: string): Promise<void> {
    if (this.#config.dynamic.Accounts.size > maxAccounts) {
      this.#log.info("no more accounts: the message goes to localserve's own", { address: key });
      return;
    }
    await this.#config.writeDynamic((value) => {
      if (!value.Domains.has(domain)) {
        value.Domains.set(domain, { ...domainType.zero(), LocalpartCatchallSeparator: "+" });
      }
      const { JunkFilter, RejectsMailbox } = value.Accounts.get(localserveAccount)!;
      value.Accounts.set(key, {
        ...accountType.zero(),
        Domain: domain,
        Destinations: new Map([[key, destinationType.zero()]]),
        JunkFilter,
        RejectsMailbox,
        NoFirstTimeSenderDelay: true,
      });
    });
    // It can log in from the first message on.
    await setAccountPassword(this.#accounts, key, localservePassword);
  }

  /** A backend whose recipients have accounts. */
  forRecipients(backend: SmtpBackend): SmtpBackend {
    return {
      ...backend,
      checkRecipient: async (session, transaction, recipient) => {
        await this.ensure(recipient.address);
        return await backend.checkRecipient(session, transaction, recipient);
      },
    };
  }
}
