/** Sizes of the bodies in the crash tests: they follow from the MID, most are small and some go to the spool folder. */
export const bodySizeOf = (mid: number): number =>
  mid % 7 === 3 ? 66_000 + (mid % 1000) * 100 : 500 + (mid % 40) * 100;
