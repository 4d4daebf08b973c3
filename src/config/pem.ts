/** The blocks of a PEM file. RFC 7468 §2, read leniently: text between the blocks is ignored. Pure. */

export type PemBlock = { readonly label: string; readonly pem: string };

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/** Blocks in the order of the file; `cut` is true where a block has no end. */
export function pemBlocks(text: string): { readonly blocks: readonly PemBlock[]; readonly cut: boolean } {
  const blocks: PemBlock[] = [];
  let from = text.indexOf(BEGIN);
  while (from >= 0) {
    const labelEnd = text.indexOf(DASHES, from + BEGIN.length);
    if (labelEnd < 0) return { blocks, cut: true };
    const label = text.slice(from + BEGIN.length, labelEnd);
    const end = `-----END ${label}-----`;
    const endAt = text.indexOf(end, labelEnd);
    if (endAt < 0) return { blocks, cut: true };
    blocks.push({ label, pem: `${text.slice(from, endAt + end.length)}\n` });
    from = text.indexOf(BEGIN, endAt + end.length);
  }
  return { blocks, cut: false };
}

export const isCertificateLabel = (label: string): boolean => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE';
