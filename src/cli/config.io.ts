/**
 * `sallyport config OPERATION`: the configuration as a whole, of the running gateway or of the data folder of one that does
 * not run. Exit code 0; 1 where it was refused, with the reason; 2 for wrong usage. Effects: the configuration, files,
 * standard output.
 */
import fs from 'node:fs';
import { describeAsYaml } from '../config/describe-yaml.ts';
import { configurationJsonSchema } from '../config/json-schema.ts';
import type { ConfigurationMode, Json, Path, Which } from '../config/configuration-store.ts';
import { parseDurationMs } from '../core/duration.ts';
import { parseFaultPath } from '../core/fault-path.ts';
import type { Arguments, Write } from './arguments.ts';
import { localAdministrator } from './config-access.io.ts';
import { type LoadRequest, loadIntoStore } from './config-load.io.ts';
import { changeLines, committedLines, faultLine, historyLines, statusLines } from './config-view.ts';
import { type ConfigurationContext as Context, onConfiguration, said, UsageError } from './on-configuration.io.ts';
import { readPassword } from './password.io.ts';
import { dataFolder } from './run.io.ts';

type Operation = {
  readonly usage: string;
  /** Arguments beside options. */
  readonly least?: number;
  readonly most: number;
  /** Makes the store where there is none. */
  readonly mayMake?: true;
  readonly run: (context: Context) => Promise<number>;
};
