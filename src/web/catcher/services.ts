/** What the API of caught mail needs from the server. @module */
import type { SenderAuth } from "../../senderauth/mod.ts";
import type { WebHandler, WebRequest } from "../http/mod.ts";
import type { CaughtMail } from "./box.ts";

/** A random refusal. */
export interface ChaosTrigger {
  /** SMTP code, 400-599. */
  ErrorCode: number;
  /** Percent, 0-100. */
  Probability: number;
}

/** Faults on purpose. */
export interface ChaosSettings {
  Sender: ChaosTrigger;
  Recipient: ChaosTrigger;
  Authentication: ChaosTrigger;
  Message: ChaosTrigger;
  DropProbability: number;
  LatencyMs: number;
  BytesPerSecond: number;
  GreylistSeconds: number;
  QuotaBytes: number;
  StartTLS: "" | "off" | "broken";
}

export interface CatcherServices {
  mail: CaughtMail;
  /** The account that gets sent messages. */
  account: string;
  tempDir: string;
  hostname: string;
  version: string;
  maxMessageSize: number;
  dataDir: string;
  faults: {
    readonly settings: ChaosSettings;
    set(settings: Partial<ChaosSettings>): void;
    play(
      steps: readonly { Messages?: number; Seconds?: number; Faults: Partial<ChaosSettings> }[],
    ): void;
  };
  /** The page for developers, below /caught/. */
  page: WebHandler;
  /** How many messages are kept and for how many milliseconds; undefined for no limit. */
  keep: { messages: number | undefined; age: number | undefined };
  /** Releases a message to a real server; undefined if none is configured. */
  release?: {
    server: string;
    /** Why an address may not be sent to; undefined if it may. */
    refusal(address: string): string | undefined;
    send(
      from: string,
      to: string[],
      message: () => Iterable<Uint8Array>,
      size: number,
    ): Promise<void>;
  };
  /** HEAD request for a link, within limits: status and text. */
  checkLink(url: string, follow: boolean): Promise<{ StatusCode: number; Status: string }>;
  /** Results of SPF, DKIM and DMARC for a message from an IP address, using the DNS. */
  authenticate(
    ip: string,
    mailFrom: string,
    header: Uint8Array,
    message: Uint8Array,
  ): Promise<SenderAuth>;
  /** Why a request may not use the API; undefined if it may. */
  refusal(req: WebRequest): Promise<Response | undefined>;
}
