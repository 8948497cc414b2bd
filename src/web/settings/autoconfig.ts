/**
 * Settings for mail programs, from an address alone: Thunderbird's autoconfig, Microsoft's
 * autodiscover (its older form, for IMAP), and profiles for Apple's systems.
 *
 * None of it is secret, and none of it tells whether an address exists.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Config } from "../../config/mod.ts";
import { cramMd5Wanted } from "../../sasl/mod.ts";
import { HttpError, textResponse, type WebHandler, type WebRequest } from "../http/mod.ts";
import { type ClientService, type ClientSettings, clientSettings } from "./client_settings.ts";
import { xmlDocument, xmlText } from "./xml.ts";

/** Path of Thunderbird's file on a host of its own, and below /.well-known/ on other hosts. */
export const autoconfigPath = "/mail/config-v1.1.xml";
const autodiscoverPath = "/autodiscover/autodiscover.xml";
const profilePath = "/profile.mobileconfig";

/** Most bytes of a request for autodiscover. */
const maxRequest = 64 * 1024;

interface Asked {
  /** As the user types it. */
  address: string;
  domain: string;
  settings: ClientSettings;
  imap: ClientService;
  submission: ClientService;
  /** CardDAV and CalDAV, if they are served. */
  dav: ClientService | undefined;
}

function asked(config: Config, address: string): Asked {
  const at = address.lastIndexOf("@");
  if (at < 1 || address.length > 500) {
    throw new HttpError(400, "an address is needed, such as you@example.org");
  }
  const domain = address.slice(at + 1);
  const settings = clientSettings(config, domain);
  if (settings === undefined) throw new HttpError(404, "mail for that domain is not kept here");
  const [imap] = settings.imap;
  const [submission] = settings.submission;
  if (imap === undefined || submission === undefined) {
    throw new HttpError(404, "this server offers no IMAP and submission to mail programs");
  }
  return { address, domain, settings, imap, submission, dav: settings.dav[0] };
}

/** True for host names that mail programs ask for settings. */
export function autoconfigHost(config: Config, host: string): boolean {
  const m = /^(?:autoconfig|autodiscover)\.(.+)$/.exec(host);
  if (m !== null && config.domain(m[1]) !== undefined) return true;
  return host === config.static.Hostname.toLowerCase() ||
    [...config.dynamic.Domains.values()].some((d) =>
      d.ClientSettingsDomain !== "" && d.ClientSettingsDomain.toLowerCase() === host
    );
}

/** Answers all three kinds of requests. */
export function autoconfigHandler(config: Config): WebHandler {
  return async (req) => {
    const path = req.path.toLowerCase();
    switch (path) {
      case autoconfigPath:
      case `/.well-known/autoconfig${autoconfigPath}`:
        return xml(autoconfig(config, req));
      case autodiscoverPath:
        return xml(await autodiscover(config, req));
      case profilePath:
        return profile(config, req);
      default:
        throw new HttpError(404, "not found");
    }
  };
}

function xml(text: string): Response {
  return textResponse(200, text, {
    "Content-Type": "application/xml; charset=utf-8",
    "Cache-Control": "max-age=300",
  });
}

const socketTypes = { tls: "SSL", starttls: "STARTTLS", none: "plain" } as const;

function autoconfig(config: Config, req: WebRequest): string {
  // Without an address, the domain is that of the host, and the program fills in the address itself.
  const host = /^(?:autoconfig|autodiscover)\.(.+)$/.exec(req.url.hostname)?.[1];
  const address = req.url.searchParams.get("emailaddress") ?? "";
  const a = asked(config, address || `postmaster@${host ?? ""}`);
  const domain = xmlText(a.domain);
  const server = (tag: string, type: string, service: ClientService) => [
    `    <${tag} type="${type}">`,
    `      <hostname>${xmlText(service.host)}</hostname>`,
    `      <port>${service.port}</port>`,
    `      <socketType>${socketTypes[service.security]}</socketType>`,
    `      <username>%EMAILADDRESS%</username>`,
    // Secured by TLS, passwords may be sent; without it, programs are told to prove they know it.
    `      <authentication>${
      service.security === "none" ? "password-encrypted" : "password-cleartext"
    }</authentication>`,
    `    </${tag}>`,
  ];
  return xmlDocument(
    `<clientConfig version="1.1">`,
    `  <emailProvider id="${domain}">`,
    `    <domain>${domain}</domain>`,
    `    <displayName>${domain}</displayName>`,
    `    <displayShortName>${domain}</displayShortName>`,
    ...a.settings.imap.flatMap((s) => server("incomingServer", "imap", s)),
    // Programs use the first that they support: POP3 is for those that support nothing else.
    ...a.settings.pop3.flatMap((s) => server("incomingServer", "pop3", s)),
    ...a.settings.submission.flatMap((s) => server("outgoingServer", "smtp", s)),
    // Type of draft-ietf-mailmaint-autoconfig. Last: programs that don't know it pass over it.
    ...a.settings.sieve.flatMap((s) => server("incomingServer", "managesieve", s)),
    `  </emailProvider>`,
    ...davServers(a.dav),
    `</clientConfig>`,
  );
}

/** Location of contacts and calendars in Thunderbird's format. */
function davServers(dav: ClientService | undefined): string[] {
  if (dav === undefined) return [];
  const url = xmlText(`https://${dav.host}${dav.port === 443 ? "" : `:${dav.port}`}/`);
  return [["addressBook", "carddav"], ["calendar", "caldav"]].flatMap(([tag, type]) => [
    `  <${tag} type="${type}">`,
    `    <username>%EMAILADDRESS%</username>`,
    `    <authentication>http-basic</authentication>`,
    `    <serverURL>${url}</serverURL>`,
    `  </${tag}>`,
  ]);
}

async function autodiscover(config: Config, req: WebRequest): Promise<string> {
  if (req.method !== "POST") {
    throw new HttpError(405, "autodiscover is asked with POST", { Allow: "POST" });
  }
  const body = new TextDecoder().decode(await req.body(maxRequest));
  const start = body.indexOf("<EMailAddress>");
  const end = body.indexOf("</EMailAddress>");
  const address = start < 0 || end < start ? "" : body.slice(start + 14, end).trim();
  const a = asked(config, address);
  const protocol = (type: string, service: ClientService) => [
    `      <Protocol>`,
    `        <Type>${type}</Type>`,
    `        <Server>${xmlText(service.host)}</Server>`,
    `        <Port>${service.port}</Port>`,
    `        <LoginName>${xmlText(a.address)}</LoginName>`,
    `        <DomainRequired>off</DomainRequired>`,
    `        <SPA>off</SPA>`,
    `        <SSL>${service.security === "tls" ? "on" : "off"}</SSL>`,
    `        <Encryption>${
      service.security === "tls" ? "SSL" : service.security === "starttls" ? "TLS" : "None"
    }</Encryption>`,
    `        <AuthRequired>on</AuthRequired>`,
    `      </Protocol>`,
  ];
  return xmlDocument(
    `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">`,
    `  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">`,
    `    <Account>`,
    `      <AccountType>email</AccountType>`,
    `      <Action>settings</Action>`,
    ...protocol("IMAP", a.imap),
    ...a.settings.pop3.slice(0, 1).flatMap((s) => protocol("POP3", s)),
    ...protocol("SMTP", a.submission),
    `    </Account>`,
    `  </Response>`,
    `</Autodiscover>`,
  );
}

/** An identifier that stays the same, so that a profile replaces its earlier form. */
function uuid(...of: string[]): string {
  const h = createHash("sha256").update(of.join("\0")).digest("hex");
  return [
    h.slice(0, 8),
    h.slice(8, 12),
    `5${h.slice(13, 16)}`,
    `8${h.slice(17, 20)}`,
    h.slice(20, 32),
  ]
    .join("-");
}

/** Accounts of one profile. */
const maxAddresses = 20;

/** The addresses that are asked for: `addresses` with commas between, or `address`, also more than once. */
function profileAddresses(query: URLSearchParams): string[] {
  const given = [...query.getAll("addresses"), ...query.getAll("address")]
    .flatMap((text) => text.split(",")).map((text) => text.trim()).filter((text) => text !== "");
  const addresses = [...new Set(given)];
  if (addresses.length > maxAddresses) {
    throw new HttpError(400, `a profile has at most ${maxAddresses} addresses`);
  }
  return addresses.length > 0 ? addresses : [""];
}

/** Accounts of contacts and calendars, if they are served. */
function davPayloads(
  type: ReturnType<typeof asked>,
  identifier: string,
  number: string,
  pair: (key: string, value: string | number | boolean) => string,
): string[] {
  if (type.dav === undefined) return [];
  const { host, port } = type.dav;
  return ["CalDAV", "CardDAV"].flatMap((kind) => [
    `<dict>`,
    pair(`${kind}AccountDescription`, type.address),
    pair(`${kind}HostName`, host),
    pair(`${kind}Port`, port),
    pair(`${kind}UseSSL`, true),
    pair(`${kind}Username`, type.address),
    pair("PayloadIdentifier", `${identifier}.${kind.toLowerCase()}${number}`),
    pair("PayloadType", `com.apple.${kind.toLowerCase()}.account`),
    pair("PayloadUUID", uuid(kind, type.address)),
    pair("PayloadVersion", 1),
    `</dict>`,
  ]);
}

function profile(config: Config, req: WebRequest): Response {
  const addresses = profileAddresses(req.url.searchParams);
  const all = addresses.map((address) => asked(config, address));
  const [a] = all;
  const name = (req.url.searchParams.get("name") ?? req.url.searchParams.get("fullName") ?? "")
    .slice(0, 200);
  const reversed = a.domain.split(".").reverse().join(".");
  const pair = (key: string, value: string | number | boolean) =>
    `<key>${key}</key>${
      typeof value === "string"
        ? `<string>${xmlText(value)}</string>`
        : typeof value === "number"
        ? `<integer>${value}</integer>`
        : `<${value}/>`
    }`;
  const doc = xmlDocument(
    `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`,
    `<plist version="1.0"><dict>`,
    `<key>PayloadContent</key><array>`,
    ...all.flatMap((x, i) => [
      `<dict>`,
      pair("EmailAccountDescription", x.address),
      name === "" ? "" : pair("EmailAccountName", name),
      pair("EmailAccountType", "EmailTypeIMAP"),
      pair("EmailAddress", x.address),
      pair(
        "IncomingMailServerAuthentication",
        cramMd5Wanted() ? "EmailAuthCRAMMD5" : "EmailAuthPassword",
      ),
      pair("IncomingMailServerHostName", x.imap.host),
      pair("IncomingMailServerPortNumber", x.imap.port),
      pair("IncomingMailServerUseSSL", x.imap.security !== "none"),
      pair("IncomingMailServerUsername", x.address),
      pair(
        "OutgoingMailServerAuthentication",
        cramMd5Wanted() ? "EmailAuthCRAMMD5" : "EmailAuthPassword",
      ),
      pair("OutgoingMailServerHostName", x.submission.host),
      pair("OutgoingMailServerPortNumber", x.submission.port),
      pair("OutgoingMailServerUseSSL", x.submission.security !== "none"),
      pair("OutgoingMailServerUsername", x.address),
      pair("OutgoingPasswordSameAsIncomingPassword", true),
      pair("PayloadIdentifier", `${reversed}.mail.account${i === 0 ? "" : i + 1}`),
      pair("PayloadType", "com.apple.mail.managed"),
      pair("PayloadUUID", uuid("account", x.address)),
      pair("PayloadVersion", 1),
      `</dict>`,
      ...davPayloads(x, `${reversed}.mail`, i === 0 ? "" : String(i + 1), pair),
    ]),
    `</array>`,
    pair("PayloadDisplayName", `Mail of ${addresses.join(", ")}`),
    pair("PayloadIdentifier", `${reversed}.mail`),
    pair("PayloadType", "Configuration"),
    pair("PayloadUUID", uuid("profile", ...addresses)),
    pair("PayloadVersion", 1),
    `</dict></plist>`,
  );
  const file = a.address.replace(/[^a-z0-9.@+-]/gi, "_");
  return textResponse(200, doc, {
    "Content-Type": "application/x-apple-aspen-config",
    "Content-Disposition": `attachment; filename="${file}.mobileconfig"`,
  });
}
