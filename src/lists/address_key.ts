/** An address for comparison: case could matter in localparts of other servers, but hardly ever does. */
export function addressKeyOf(address: string): string {
  return address.normalize("NFC").toLowerCase();
}
