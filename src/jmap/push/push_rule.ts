/** Where no push service is: a URL comes from a user, and must not lead into the server's own network. @module */
import { type AddressRule, networkOf, parseIp } from "../../net/mod.ts";
import { isRefusedAddress } from "../../queue/webhooks/mod.ts";

const privateNetworks: readonly (readonly [string, number])[] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["::1", 128],
  ["fc00::", 7],
  ["64:ff9b::", 96],
];

/** Push services are public: refuses all other addresses. */
export const publicRule: AddressRule = (text) => {
  let ip = parseIp(text);
  if (ip === undefined || isRefusedAddress(text)) return "no push service can be there";
  const mapped = ip.length === 16 && ip.subarray(0, 10).every((b) => b === 0) &&
    ip[10] === 255 && ip[11] === 255;
  if (mapped) ip = ip.slice(12);
  const own = ip;
  const isPrivate = privateNetworks.some(([network, bits]) => {
    const bytes = parseIp(network)!;
    return bytes.length === own.length && networkOf(bytes, bits) === networkOf(own, bits);
  });
  return isPrivate ? "no push service is in a private network" : undefined;
};
