/**
 * Connections: framed input and buffered output over sockets, TLS, compression, limits per network, listeners,
 * proxies, and in outbound/ all TLS and HTTPS connections to other servers.
 *
 * May import platform, log and metrics. Used by every protocol server and client.
 *
 * @module
 */
export { type ConnectOptions, connectSocket, connectTcp, type UnixOptions } from "./connect.ts";
export { acceptConnection, type ConnectionOptions, SocketConnection } from "./connection.ts";
export { canonicalIp, ipText, isLoopbackIp, networkOf, networksOf, parseIp } from "./ip.ts";
export {
  ConnectionLimiter,
  connectionRate,
  type LimiterOptions,
  type NetworkLimits,
  openConnectionLimits,
  RateLimiter,
  type RateWindow,
  SlidingAllowance,
} from "./limits.ts";
export {
  type Admission,
  type AuthAttempt,
  failedLoginWindows,
  LoginGuard,
  LoginLimited,
  type LoginTry,
  type LoginWay,
} from "./login_guard.ts";
export { type LoggedIn, LoginAttempt, SessionEnd } from "./logged_in.ts";
export {
  type AddressLookup,
  type AddressRule,
  allowedAddresses,
  bareHost,
  messageForUsers,
  OutboundError,
} from "./outbound/addresses.ts";
export {
  mailAddressRule,
  parseNetwork,
  serverAddressRule,
  userAddressRule,
  type UserRuleOptions,
} from "./outbound/user_rule.ts";
export { Authorities, systemAuthorities } from "./outbound/authorities.ts";
export {
  type HttpAnswer,
  type HttpCall,
  Outbound,
  type OutboundOptions,
  type Target,
} from "./outbound/http.ts";
export { memoryShort, Share } from "./budget.ts";
export { type AcceptOptions, acceptSockets, type Refused, type Taken } from "./accept.ts";
export {
  type OpenConnection,
  type ServeOptions,
  serveSecured,
  serveTcp,
  type TcpServer,
} from "./server.ts";
export { type Handshaken, type Secured, serverHandshake } from "./tls.ts";
export type { Arrival, TrustedProxies } from "./proxied/arrival.ts";
export { Networks } from "./proxied/networks.ts";
export { connectSocks, type SocksOptions } from "./socks.ts";
export { selfSignedCertificate, type SelfSignedOptions } from "./self_signed.ts";
export { endPointBinding } from "./tlscert.ts";
export type { ClientTls, Connection, KeyCert, Peer, ServerTls, TlsInfo } from "./types.ts";
export { ConnectionError } from "./types.ts";
