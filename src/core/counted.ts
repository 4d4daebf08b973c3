/** A number with its noun, as a person writes it: `1 client`, `1,204 clients`, `1 entry`. Pure. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** `1 day`, `3649 days`: times are not grouped. */
export const inDays = (days: number): string => `${days} ${days === 1 ? 'day' : 'days'}`;

/** `the last 7 days`, `the last day`. */
export const lastDays = (days: number): string => (days === 1 ? 'the last day' : `the last ${inDays(days)}`);

/** `There is currently 1 entry`, `There are currently 2 entries`. */
export const thereAre = (count: number, one: string, many?: string): string =>
  `There ${count === 1 ? 'is' : 'are'} currently ${counted(count, one, many)}`;
