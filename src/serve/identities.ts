/**
 * Which account a login by a provider or a directory belongs to: by the domain of the address, as
 * configured. Accounts may be created at the first login.
 *
 * @module
 */
import { addAccount, AdminError, type AuditLog } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import { packAddress } from "../config/names.ts";
import { IdentityError, Ldap, OpenId, type Person } from "../identity/mod.ts";
import { Log } from "../log/mod.ts";
import type { Outbound } from "../net/mod.ts";
import { isSafeName, resolveFrom } from "../platform/paths.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { fitsHash } from "../store/logins/password.ts";

const credentialPrefix = "identity ";

/** Name of a login from elsewhere as a credential of a session. */
export const identityCredential = (name: string) => credentialPrefix + name;

/**
 * The account that owns the address itself: not by a catch-all or a separator, as the person that a provider
 * knows by such an address is someone else. "taken" if something else here has the address.
 */
function ownerOf(config: Config, address: string): { account: string } | "taken" | undefined {
  const at = address.lastIndexOf("@");
  const entry = config.domain(address.slice(at + 1));
  if (entry === undefined) return undefined;
  let localpart = address.slice(0, at).normalize("NFC");
  if (!entry.config.LocalpartCaseSensitive) localpart = localpart.toLowerCase();
  const found = config.lookupAddress(localpart, entry.name.ascii, {
    postmaster: false,
    disabledDomains: true,
  });
  // The domain exists: it has no address yet, or only those for reports.
  if (found.kind === "unknownDomain") {
    return entry.reportLocalparts.includes(localpart) ? "taken" : undefined;
  }
  if (found.kind === "unknownAddress") return undefined;
  if (found.kind !== "account" || found.reports !== undefined) return "taken";
  if (found.catchall) return undefined;
  return found.canonical === packAddress({ localpart, domain: entry.name })
    ? { account: found.account }
    : "taken";
}

/** Whether a provider's user is an administrator of the server: the localpart counts as it is written. */
function isAdministrator(provider: OpenId, address: string): boolean {
  const form = (a: string) => {
    const at = a.lastIndexOf("@");
    return a.slice(0, at) + a.slice(at).toLowerCase();
  };
  return provider.conf.Administrators.some((a) => form(a) === form(address));
}

export class Identities {
  readonly #config: Config;
  readonly #providers = new Map<string, OpenId>();
  readonly #directories = new Map<string, Ldap>();
  readonly #log = new Log("identity");
  /** Creates accounts; set once the server has them. */
  makes: { accounts: Accounts; audit: AuditLog } | undefined;
  /** Accounts being created, by address. */
  readonly #making = new Map<string, Promise<string | undefined>>();

  private constructor(config: Config) {
    this.#config = config;
  }

  /** Reads the secrets while the process is still allowed to. @throws Error naming a file that can't be read */
  static async open(config: Config, outbound: Outbound): Promise<Identities> {
    const made = new Identities(config);
    const secret = async (file: string) =>
      file === "" ? "" : (await Deno.readTextFile(resolveFrom(config.dir, file))).trim();
    const log = made.#log;
    for (const [name, conf] of config.static.OpenIDProviders) {
      const options = { name, conf, secret: await secret(conf.ClientSecretFile), outbound, log };
      made.#providers.set(name, new OpenId(options));
    }
    for (const [name, conf] of config.static.LDAPDirectories) {
      const secretText = await secret(conf.BindPasswordFile);
      made.#directories.set(
        name,
        new Ldap({ name, conf, secret: secretText, outbound, log, verify: fitsHash }),
      );
    }
    return made;
  }

  #domain(login: string) {
    return this.#config.domain(login.slice(login.lastIndexOf("@") + 1))?.config;
  }

  /** The provider for an address. */
  providerOf(login: string): OpenId | undefined {
    return this.#providers.get(this.#domain(login)?.OpenIDProvider ?? "");
  }

  /** The directory that has the password of an address. */
  directoryOf(login: string): Ldap | undefined {
    return this.#directories.get(this.#domain(login)?.LDAPDirectory ?? "");
  }

  /**
   * The account of a user in a directory; created if configured so and there is none.
   * @param from the client's address
   * @throws IdentityError
   */
  async passwordAccount(by: Ldap, login: string, password: string, from: string): Promise<string> {
    const group = this.#domain(login)?.LDAPGroup ?? "";
    try {
      return await this.account(by, await by.check(login, password, { group, from }));
    } catch (err) {
      if (err instanceof IdentityError && err.reason === "wrong") {
        const reason = err.message;
        this.#log.info("no login by a directory", { directory: by.name, login, reason });
      }
      throw err;
    }
  }

  /** Providers that some domain uses, in the order of mox.conf. */
  get providers(): OpenId[] {
    const used = new Set([...this.#config.dynamic.Domains.values()].map((d) => d.OpenIDProvider));
    return [...this.#providers.values()].filter((p) => used.has(p.name));
  }

  /** Providers of the admin page: they have administrators of the server, or of domains that use them. */
  get adminProviders(): OpenId[] {
    const domains = [...this.#config.dynamic.Domains.values()];
    const used = new Set(
      domains.filter((d) => d.Administrators.length > 0).map((d) => d.OpenIDProvider),
    );
    return [...this.#providers.values()].filter((p) =>
      p.conf.Administrators.length > 0 || used.has(p.name)
    );
  }

  /** Whether some provider's user with an address is an administrator of the server. */
  administers(address: string): boolean {
    return [...this.#providers.values()].some((p) => isAdministrator(p, address));
  }

  /** Some domain's passwords are in a directory. */
  get hasDirectories(): boolean {
    return [...this.#config.dynamic.Domains.values()].some((d) => d.LDAPDirectory !== "");
  }

  /** Whether programs may log in with access tokens of some domain's provider. */
  get hasTokens(): boolean {
    return this.providers.some((p) => p.conf.Audiences.length > 0);
  }

  /** Whether the login method that opened a session is still valid for addresses of a domain. */
  stillOpens(login: string, credential: string): boolean {
    if (!credential.startsWith(credentialPrefix)) return false;
    const name = credential.slice(credentialPrefix.length);
    return this.providerOf(login)?.name === name || this.directoryOf(login)?.name === name;
  }

  /**
   * Who a provider's user is at the admin page: "" for the server's administrator, or an account that exists.
   * @throws IdentityError "wrong" for everyone else
   */
  administrator(by: OpenId, { address }: Person): string {
    if (isAdministrator(by, address)) return "";
    const owner = this.#owner(by, address);
    if (typeof owner === "object") return owner.account;
    throw new IdentityError("wrong", `${address} administers nothing here`);
  }

  /** @throws IdentityError "wrong" if the provider or directory doesn't speak for the address's domain */
  #owner(by: OpenId | Ldap, address: string): ReturnType<typeof ownerOf> {
    // A provider is trusted for its own domains only: nobody can claim other addresses through it.
    const right = by instanceof OpenId ? this.providerOf(address) : this.directoryOf(address);
    if (right !== by) {
      throw new IdentityError("wrong", `${address} is at no domain that ${by.name} is for`);
    }
    return ownerOf(this.#config, address);
  }

  /**
   * The account of a user known to a provider or directory; created if configured so and there is none.
   * @throws IdentityError "wrong" if there is none
   */
  async account(by: OpenId | Ldap, person: Person): Promise<string> {
    const { address } = person;
    const there = this.#owner(by, address);
    if (typeof there === "object") return there.account;
    if (there === "taken" || !by.conf.CreateAccounts || this.makes === undefined) {
      throw new IdentityError("wrong", `${address} has no account here`);
    }
    const key = address.toLowerCase();
    let making = this.#making.get(key);
    if (making === undefined) {
      making = this.#make(by, person, this.makes);
      this.#making.set(key, making);
      making.finally(() => this.#making.delete(key)).catch(() => {});
    }
    const made = await making;
    if (made === undefined) throw new IdentityError("wrong", `${address} can't have an account`);
    return made;
  }

  async #make(
    by: OpenId | Ldap,
    person: Person,
    { accounts, audit }: { accounts: Accounts; audit: AuditLog },
  ): Promise<string | undefined> {
    const config = this.#config;
    const at = person.address.lastIndexOf("@");
    const localpart = person.address.slice(0, at).toLowerCase();
    const domain = person.address.slice(at + 1).toLowerCase();
    // Whoever has one of these addresses speaks for the domain.
    if (/^(?:postmaster|abuse|hostmaster|webmaster|noreply)$/.test(localpart)) return undefined;
    const names = [localpart, `${localpart}.${domain}`].filter((n) => isSafeName(n));
    const name = names.find((n) =>
      config.account(n) === undefined && !accounts.names().includes(n)
    );
    if (name === undefined) return undefined;
    const make = async () => {
      await addAccount(config, accounts, name, `${localpart}@${domain}`);
      if (person.name === "") return;
      await config.writeDynamic((d) => {
        d.Accounts.get(name)!.FullName = person.name.replace(/[\r\n\t]+/g, " ");
      });
    };
    try {
      const actor = { who: by.name, from: "first login" };
      await audit.run(actor, "AccountAdd", { name }, make);
      return name;
    } catch (err) {
      if (!(err instanceof AdminError)) throw err;
      this.#log.warn("making an account at its first login", { address: person.address, err });
      return undefined;
    }
  }
}
