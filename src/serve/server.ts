/**
 * The running server: accounts, queue and listeners, put together from the configuration.
 *
 * @module
 */
import { isOriginalData, originalDataText } from "../admin/original/folder.ts";
import type { Config } from "../config/mod.ts";
import type { JunkDay } from "../delivery/junk_figures.ts";
import type { SieveDatabase } from "../delivery/sieve/database.ts";
import { Log } from "../log/mod.ts";
import type { OpenConnection } from "../net/mod.ts";
import type { Queue } from "../queue/mod.ts";
import { wantCramMd5 } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { LoginLog } from "../store/logins/attempts.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import type { ReportDatabases } from "./arrival/services.ts";
import { controlAnswers, inUse } from "./control/control.ts";
import { Identities } from "./identities.ts";
import type { MonthCounts } from "./months/counts.ts";
import type { MailingLists } from "./lists/mod.ts";
import { openParts } from "./opening.ts";
import type { ServerOptions } from "./options.ts";
import { openOutbound } from "./outbound.ts";
import { endParts, type ServerParts } from "./parts.ts";
import { openScanners } from "./scanning.ts";
import type { ServerWebhooks } from "./sending/webhooks.ts";
import { Sockets } from "./sockets.ts";
import { ServerCertificates } from "./tls/tls.ts";
import type { Endpoint } from "./web/web.ts";

export { type Endpoint, shownProtocol } from "./web/web.ts";

export class MailServer {
  readonly #parts: ServerParts;
  readonly #log = new Log("serve");
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | undefined;

  private constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * Binds the sockets, becomes the user, takes the data folder for this process alone, opens it, and
   * serves.
   * @throws ListenError, ControlError if another server has the folder, and errors of the options' functions
   */
  static async start(options: ServerOptions): Promise<MailServer> {
    const { config } = options;
    wantCramMd5(!config.static.NoCRAMMD5);
    if (await controlAnswers(config.dataDir)) throw inUse(config.dataDir);
    if (isOriginalData(config.dataDir)) throw new Error(originalDataText(config.dataDir));
    const sockets = await Sockets.bind(config.static);
    try {
      const certificates = await ServerCertificates.open(config);
      const outbound = openOutbound(
        config.static,
        config.dir,
        options.outgoing?.resolver,
        options.local,
      );
      const identities = await Identities.open(config, outbound);
      const scanners = await openScanners(config, outbound);
      await options.becomeUser?.();
      // It may be told to stop while it starts.
      const asked = Promise.withResolvers<void>();
      const bound = { sockets, certificates, outbound, identities, scanners };
      const server = new MailServer(await openParts(options, bound, asked.resolve));
      asked.promise.then(() => server.stop());
      return server;
    } finally {
      await sockets.close();
    }
  }

  get config(): Config {
    return this.#parts.config;
  }
  get accounts(): Accounts {
    return this.#parts.accounts;
  }
  get queue(): Queue {
    return this.#parts.queue;
  }
  get webhooks(): ServerWebhooks {
    return this.#parts.webhooks;
  }
  /** Scripts of accounts, and the log of their actions. */
  get sieve(): SieveDatabase {
    return this.#parts.sieve;
  }
  /** Mailing lists. */
  get lists(): MailingLists {
    return this.#parts.lists;
  }
  /** How much mail domains have, by month. */
  get months(): MonthCounts {
    return this.#parts.months;
  }

  get loginLog(): LoginLog {
    return this.#parts.loginLog;
  }
  /** Who shares mailboxes with whom. */
  get shares(): Shares {
    return this.#parts.shares;
  }
  /** Databases of reports; none in localserve. */
  get reports(): ReportDatabases | undefined {
    return this.#parts.receiving.reports;
  }

  /** Open connections of all listeners. */
  connections(): OpenConnection[] {
    return this.#parts.listeners.connections();
  }

  /** Its endpoints. */
  get endpoints(): readonly Endpoint[] {
    return this.#parts.listeners.endpoints;
  }

  /** An account's junk statistics of the last days. */
  junkDays(account: string, days: number): JunkDay[] {
    return this.#parts.figures.days(account, days);
  }

  /** Resolves when the server has stopped. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Notifies connections, finishes work in progress, closes databases. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#log.info("stopping");
    await endParts(this.#parts);
    this.#log.info("stopped");
    this.#stopped.resolve();
  }
}
