/** The reasons of a revocation by name. RFC 5280 §5.3.1; OCSP has the same ones (RFC 6960 §4.2.1). Pure. */
const REASONS = [
  'unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation',
  'certificateHold', 'unused', 'removeFromCRL', 'privilegeWithdrawn', 'aACompromise',
]; // biome-ignore format: a table

export const reasonName = (reason: number | undefined): string => REASONS[reason ?? 0] ?? 'unspecified';
