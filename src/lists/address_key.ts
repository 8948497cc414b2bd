/** An address for comparing: in other domains the localpart's case may matter, but hardly ever does. */
export function addressKeyOf(address: string): string {
  return address.normalize("NFC").toLowerCase();
}
