/**
 * Says in the log, at start, with each new revision and once a day, which exemptions end within two weeks or have ended
 * but still stand in the configuration. Effects: a timer, the log.
 */
import type { Config } from '../config/schema.ts';
import { DAY_MS } from '../core/duration.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';

const SOON_DAYS = 14;

export class ExemptionNotices {
  readonly #clock: Clock;
  readonly #log: MailLog;
  #exemptions: Config['exemptions'] = {};
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, log: MailLog) {
    this.#clock = clock;
    this.#log = log;
  }

  watch({ exemptions }: Config): void {
    this.#exemptions = exemptions;
    this.#timer ??= setInterval(() => this.#tell(), DAY_MS).unref();
    this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    const nowMs = this.#clock.now();
    for (const [name, { user, until, reason, grantedBy }] of Object.entries(this.#exemptions)) {
      const days = Math.ceil((until - nowMs) / DAY_MS);
      if (days > SOON_DAYS) continue;
      const when = until < nowMs ? 'has ended and can be removed' : `ends in ${days} ${days === 1 ? 'day' : 'days'}`;
      const text = `exemption ${name} of ${user} ${when} (${reason}; granted by ${grantedBy})`;
      this.#log.emit({ event: 'system', level: 'warning', topic: `exemption ${name}`, text });
    }
  }
}
