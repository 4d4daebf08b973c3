/** The processor's time of this process: how much work something is, however busy the machine is with other things. */

export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
