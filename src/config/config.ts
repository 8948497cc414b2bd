/** The configuration in use: lookups, reloading, changes by the program. @module */
import { writeFileAtomic } from "../platform/files.ts";
import { dataPath, joinPath, parentDir, resolveFrom } from "../platform/paths.ts";
import { ownLikeFolder } from "../platform/users.ts";
import { Log } from "../log/mod.ts";
import type { Account } from "./dynamic/account.ts";
import { accountAddresses, type AddressIndex, type DomainEntry } from "./dynamic/addresses.ts";
import { type ConfigChange, isEmptyChange, whatChanged } from "./changes.ts";
import { type Dynamic, dynamicConfig } from "./dynamic/dynamic.ts";
import {
  ConfigError,
  type FileProblem,
  type FileWarning,
  inFile,
  readConfigFile,
  readDynamic,
  readStatic,
} from "./load.ts";
import { type AddressLookup, lookup, type LookupOptions, owned } from "./lookup.ts";
import { asciiDomain, parseAddress, parseDomain } from "./names.ts";
import { equal } from "./sconf/schema.ts";
import {
  type MapNode,
  parseSconf,
  printSconf,
  type Problem,
  SconfWriteError,
} from "./sconf/sconf.ts";
import type { Static } from "./static/static.ts";
import { asChosenNode, listenersOfChosenNode } from "./one_machine.ts";
import { initialMailboxes, type NewMailbox } from "./static/initial_mailboxes.ts";
import { TrialEnd, trials } from "./trial.ts";
import { watchDynamic } from "./watch.ts";

const log = new Log("config");

interface DynamicState {
  value: Dynamic;
  root: MapNode;
  addresses: AddressIndex;
  warnings: Problem[];
  /** Stamp of the file that this was read from. */
  stamp: string;
}

/** Called with a change, and whether the file was edited rather than written by the program. */
export type ConfigListener = (change: ConfigChange, edited: boolean) => void;

/** A stamp that shows whether a file is the one that was read. */
async function fileStamp(path: string): Promise<string> {
  const s = await Deno.stat(path);
  return `${s.mtime?.getTime()} ${s.size} ${s.ino}`;
}

export class Config {
  /** mox.conf. */
  readonly staticPath: string;
  /** domains.conf, next to it. */
  readonly dynamicPath: string;
  readonly static: Static;
  /** Names of this host: Hostname and those of listeners with SMTP. */
  readonly hostnames: ReadonlySet<string>;
  /** Set by localserve: this account gets mail for all addresses. */
  acceptAllAccount: string | undefined;
  #state: DynamicState;
  readonly #listeners = new Set<ConfigListener>();
  /** Runs changes of the file one after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  readonly #staticWarnings: Problem[];

  private constructor(
    path: string,
    s: Static,
    staticWarnings: Problem[],
    state: DynamicState,
  ) {
    this.#staticWarnings = staticWarnings;
    this.staticPath = path;
    this.dynamicPath = dynamicPathOf(path);
    this.static = s;
    this.#state = state;
    const names = [s.Hostname];
    for (const l of s.Listeners.values()) {
      if (l.SMTP.Enabled && l.Hostname !== "") names.push(l.Hostname);
    }
    this.hostnames = new Set(names.map((n) => parseDomain(n).ascii));
  }

  /**
   * Loads mox.conf and the domains.conf next to it.
   * @param options.keyFiles whether the key files that they name are also checked; default true.
   * @throws ConfigError with all problems in both.
   */
  static async load(path: string, options: { keyFiles?: boolean } = {}): Promise<Config> {
    const dynamicPath = dynamicPathOf(path);
    const dir = options.keyFiles === false ? undefined : parentDir(path);
    const problems: FileProblem[] = [];
    const attempt = async (file: string): Promise<string | undefined> => {
      try {
        return await readConfigFile(file);
      } catch (err) {
        if (!(err instanceof ConfigError)) throw err;
        problems.push(...err.problems);
        return undefined;
      }
    };
    const staticText = await attempt(path);
    const s = readStatic(staticText ?? "", { dir });
    if (staticText !== undefined) problems.push(...inFile(path, s.problems));

    let stamp = "";
    const dynamicText = await attempt(dynamicPath);
    if (dynamicText !== undefined) stamp = await fileStamp(dynamicPath);
    if (dynamicText !== undefined && problems.length > 0) {
      // References to a broken mox.conf mean nothing: only the form is checked.
      const { root, problems: more } = parseSconf(dynamicText);
      dynamicConfig.read(root, 0, (line, message, warning) => {
        if (!warning) more.push({ line, message });
      });
      problems.push(...inFile(dynamicPath, more));
    }
    if (problems.length > 0) throw new ConfigError(problems);
    asChosenNode(s.value);
    const d = readDynamic(dynamicText!, s.value, { dir });
    if (d.problems.length > 0) throw new ConfigError(inFile(dynamicPath, d.problems));
    listenersOfChosenNode(s.value, d.value);
    return new Config(path, s.value, s.warnings, { ...d, stamp });
  }

  /** The values of domains.conf. Not to be changed: see {@link writeDynamic}. */
  get dynamic(): Dynamic {
    return this.#state.value;
  }

  get addresses(): AddressIndex {
    return this.#state.addresses;
  }

  /** Warnings for both files. */
  get warnings(): FileWarning[] {
    return [
      ...inFile(this.staticPath, this.#staticWarnings),
      ...inFile(this.dynamicPath, this.#state.warnings),
    ];
  }

  /** Folder of the configuration files. */
  get dir(): string {
    return parentDir(this.staticPath);
  }

  get dataDir(): string {
    return resolveFrom(this.dir, this.static.DataDir);
  }

  /** Path of a file named in the configuration. */
  configPath(file: string): string {
    return resolveFrom(this.dir, file);
  }

  /** Path in the data folder. @throws PathError */
  dataPath(...names: string[]): string {
    return dataPath(this.dataDir, ...names);
  }

  /** A domain of this server, in either form. */
  domain(name: string): DomainEntry | undefined {
    const ascii = asciiDomain(name);
    return ascii === undefined ? undefined : this.addresses.domains.get(ascii);
  }

  account(name: string): Account | undefined {
    return this.dynamic.Accounts.get(name);
  }

  /** Name of the node that has an account; undefined without nodes, and for unknown accounts. */
  nodeOf(account: string): string | undefined {
    const { Nodes } = this.dynamic;
    if (Nodes.size === 0) return undefined;
    const a = this.account(account);
    if (a === undefined) return undefined;
    return a.Node || this.nodeOfDomain(a.Domain);
  }

  /** The node in charge of a domain, for its mailing lists and its keys. Undefined without nodes. */
  nodeOfDomain(domain: string): string | undefined {
    return this.domain(domain)?.config.Node || this.dynamic.Nodes.keys().next().value;
  }

  /** Whether this server is in charge of a domain. */
  isDomainHere(domain: string): boolean {
    return this.dynamic.Nodes.size === 0 || this.nodeOfDomain(domain) === this.static.Node;
  }

  /** Accounts being moved to another node, which must not be used here: {@link isHere} is false for them. */
  readonly leaving = new Set<string>();

  /** Whether this server has an account: it may be on another node. */
  isHere(account: string): boolean {
    if (this.leaving.has(account)) return false;
    const node = this.nodeOf(account);
    return this.account(account) !== undefined && (node === undefined || node === this.static.Node);
  }

  /** Names of the accounts that this server has. */
  accountsHere(): string[] {
    return [...this.dynamic.Accounts.keys()].filter((name) => this.isHere(name));
  }

  /** Addresses of an account in readable form; a catch-all as `@domain`. */
  accountAddresses(name: string): string[] {
    return accountAddresses(this.addresses, name);
  }

  /**
   * Where mail for an address goes.
   * @param localpart unquoted.
   * @param domain ASCII or Unicode; "" for a bare `postmaster` (RFC 5321 §4.1.1.3).
   */
  lookupAddress(localpart: string, domain: string, options: LookupOptions = {}): AddressLookup {
    const found = this.#find(localpart, domain, options);
    if (this.acceptAllAccount === undefined) return found;
    if (found.kind !== "relay" && !found.kind.startsWith("unknown")) return found;
    return owned(this.acceptAllAccount, "Inbox", `@${domain}`, true);
  }

  #find(localpart: string, domain: string, options: LookupOptions): AddressLookup {
    const where = { static: this.static, hostnames: this.hostnames, addresses: this.addresses };
    return lookup(where, localpart, domain, options);
  }

  /** The account that logs in with an address (any variant with a separator); undefined if there is none. */
  accountFor(address: string): string | undefined {
    let a;
    try {
      a = parseAddress(address);
    } catch {
      return undefined;
    }
    const found = this.#find(a.localpart, a.domain.ascii, {
      postmaster: false,
      aliases: false,
      disabledDomains: true,
    });
    // Reports are delivered to an account, but nobody can log in with their addresses.
    return found.kind === "account" && found.reports === undefined ? found.account : undefined;
  }

  /**
   * Whether an account may send messages from an address: its own, or that of an alias that allows its members.
   */
  mayUseFrom(account: string, localpart: string, domain: string): "yes" | "no" | "disabledDomain" {
    const found = this.#find(localpart, domain, { postmaster: false });
    switch (found.kind) {
      case "account":
        return found.account === account ? "yes" : "no";
      case "alias":
        return found.alias.AllowMsgFrom && found.alias.members.some((m) => m.account === account)
          ? "yes"
          : "no";
      case "relay":
        return found.relay.Senders.includes(account) ? "yes" : "no";
      case "disabledDomain":
        return "disabledDomain";
      default:
        return "no";
    }
  }

  /**
   * Whether an account may send messages from an address, like {@link mayUseFrom}, or because the address's
   * account allows it: as that account ("yes"), or with itself named as Sender ("behalf"). Owners of a mailing
   * list may send from its address.
   */
  maySendAs(
    account: string,
    localpart: string,
    domain: string,
  ): "yes" | "behalf" | "no" | "disabledDomain" {
    const may = this.mayUseFrom(account, localpart, domain);
    if (may !== "no") return may;
    const found = this.#find(localpart, domain, { postmaster: false });
    if (found.kind === "list") {
      const owners = found.role === "post" || found.role === "owner"
        ? found.list.config.Owners
        : [];
      return owners.some((o) => this.accountFor(o) === account) ? "yes" : "no";
    }
    if (found.kind !== "account" || found.reports !== undefined) return "no";
    const owner = this.account(found.account);
    return owner?.SendAs.includes(account)
      ? "yes"
      : owner?.SendOnBehalf.includes(account)
      ? "behalf"
      : "no";
  }

  /** Addresses of others that an account may send from, catch-alls left out. */
  delegatedAddresses(account: string): string[] {
    return [...this.dynamic.Accounts].flatMap(([name, a]) =>
      a.SendAs.includes(account) || a.SendOnBehalf.includes(account)
        ? this.accountAddresses(name).filter((address) => !address.startsWith("@"))
        : []
    );
  }

  /** Most bytes of messages in an account; undefined for no limit. */
  quotaMessageSize(account: string): number | undefined {
    return this.#quota(account, "QuotaMessageSize");
  }

  /** Most messages in an account; undefined for no limit. */
  quotaMessages(account: string): number | undefined {
    return this.#quota(account, "QuotaMessages");
  }

  /** Most mailboxes in an account; undefined for no limit. */
  quotaMailboxes(account: string): number | undefined {
    return this.#quota(account, "QuotaMailboxes");
  }

  #quota(
    account: string,
    field: "QuotaMessageSize" | "QuotaMessages" | "QuotaMailboxes",
  ): number | undefined {
    const own = this.account(account)?.[field] ?? 0;
    const most = own !== 0 ? own : this.static[field];
    return most > 0 ? most : undefined;
  }

  /** Mailboxes of a new account, besides the Inbox. */
  initialMailboxes(): NewMailbox[] {
    return initialMailboxes(this.static);
  }

  /** Registers a listener for changes, called after they are in force. @returns a function that removes it. */
  onChange(listener: ConfigListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads domains.conf again if the file has changed.
   * @returns what changed; undefined if nothing did.
   * @throws ConfigError; the configuration in use then stays.
   */
  reload(): Promise<ConfigChange | undefined> {
    return this.#oneByOne(() => this.#reload());
  }

  async #reload(): Promise<ConfigChange | undefined> {
    const stamp = await fileStamp(this.dynamicPath);
    if (stamp === this.#state.stamp) return undefined;
    const d = readDynamic(await readConfigFile(this.dynamicPath), this.static, { dir: this.dir });
    if (d.problems.length > 0) {
      const err = new ConfigError(inFile(this.dynamicPath, d.problems));
      err.inFile = true;
      throw err;
    }
    return this.#use({ ...d, stamp }, true);
  }

  #use(state: DynamicState, edited = false): ConfigChange | undefined {
    const change = whatChanged(this.#state.value, state.value);
    this.#state = state;
    if (isEmptyChange(change)) return undefined;
    for (const listener of this.#listeners) {
      try {
        listener(change, edited);
      } catch (err) {
        log.error("listener for changes of the configuration failed", { err: err as Error });
      }
    }
    return change;
  }

  #oneByOne<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(action);
    this.#writing = result.catch(() => {});
    return result;
  }

  /**
   * Changes domains.conf: the function changes a copy of the values, which is checked and written in one step,
   * keeping the old file's comments. When it resolves the change is on disk and in force.
   * @throws ConfigError with what the change would break, or if the file currently has mistakes; nothing is
   * changed then. What the function throws is rethrown.
   */
  writeDynamic(change: (dynamic: Dynamic) => void): Promise<ConfigChange | undefined> {
    return this.#oneByOne(async () => {
      // Manual edits in the last second must not be lost.
      await this.#reload();
      const value = structuredClone(this.#state.value);
      change(value);
      const tried = trials.getStore();
      if (equal(value, this.#state.value)) {
        if (tried) throw new TrialEnd(this.#state.value, value);
        return undefined;
      }
      const text = this.#printed(value);
      const d = readDynamic(text, this.static, { dir: this.dir });
      if (d.problems.length > 0) {
        throw new ConfigError(inFile(this.dynamicPath, d.problems));
      }
      if (tried) throw new TrialEnd(this.#state.value, d.value);
      return await this.#replace(text, d);
    });
  }

  /**
   * The file with other values. @throws ConfigError for a text that can't be in a file, such as one with
   * several lines
   */
  #printed(value: Dynamic): string {
    const node = dynamicConfig.update(this.#state.root, value);
    const root: MapNode = node.kind === "map" ? node : { kind: "map", entries: [], trailing: [] };
    try {
      return printSconf(root);
    } catch (err) {
      if (!(err instanceof SconfWriteError)) throw err;
      throw new ConfigError([{ file: this.dynamicPath, line: 0, message: err.message }]);
    }
  }

  /** Mistakes in a text for domains.conf, with lines. */
  checkDynamicText(text: string): FileProblem[] {
    return inFile(
      this.dynamicPath,
      readDynamic(text, this.static, { dir: this.dir }).problems,
    );
  }

  /**
   * Replaces domains.conf by a text, on disk and in force when it resolves.
   * @param isCurrent whether the file still has the contents that the text was made from: otherwise nothing is
   * overwritten
   * @throws ConfigError with all mistakes; nothing is changed then
   */
  replaceDynamicText(
    text: string,
    isCurrent: (now: string) => boolean,
  ): Promise<ConfigChange | undefined> {
    return this.#oneByOne(async () => {
      if (!isCurrent(await readConfigFile(this.dynamicPath))) {
        throw new ConfigError([{
          file: this.dynamicPath,
          line: 0,
          message: "was changed meanwhile: load it again, and make the change there",
        }]);
      }
      const d = readDynamic(text, this.static, { dir: this.dir });
      if (d.problems.length > 0) throw new ConfigError(inFile(this.dynamicPath, d.problems));
      if (trials.getStore()) throw new TrialEnd(this.#state.value, d.value);
      return await this.#replace(text, d);
    });
  }

  async #replace(text: string, d: Omit<DynamicState, "stamp">): Promise<ConfigChange | undefined> {
    const mode = (await Deno.stat(this.dynamicPath)).mode ?? 0o660;
    await writeFileAtomic(this.dynamicPath, new TextEncoder().encode(text), mode & 0o777);
    ownLikeFolder(this.dynamicPath);
    return this.#use({ ...d, stamp: await fileStamp(this.dynamicPath) });
  }

  /**
   * Checks domains.conf for changes twice a second; a file being written waits for the next check. A file with
   * mistakes is logged once, and the configuration in use stays.
   * @returns a function that stops it.
   */
  watch(interval = 400, now: () => number = Date.now): () => void {
    return watchDynamic({
      interval,
      now,
      path: this.dynamicPath,
      reload: () => this.reload(),
      warnings: () => this.#state.warnings,
      stamp: () => fileStamp(this.dynamicPath),
    });
  }
}

/** The domains.conf next to a mox.conf. */
export function dynamicPathOf(staticPath: string): string {
  return joinPath([parentDir(staticPath), "domains.conf"]);
}
