/** Numbers for people. Pure. */

/** `1,204`: whole numbers with thousands set apart. */
export const countText = (count: number): string => count.toLocaleString('en-US');
