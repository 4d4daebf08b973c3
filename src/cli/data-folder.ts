/** Where a gateway's data is when it runs on a file: the folder named, else `data` beside the configuration. Pure. */
import path from 'node:path';

export const dataFolder = (configFile: string, given: string | undefined): string =>
  given === undefined ? path.join(path.dirname(configFile), 'data') : path.resolve(given);
