/** An address for comparing: of others' localparts case may count, but hardly ever does. */
export function addressKeyOf(address: string): string {
  return address.normalize("NFC").toLowerCase();
}
