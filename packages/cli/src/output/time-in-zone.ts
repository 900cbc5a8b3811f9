/** A time as the clock of a place shows it: `2026-11-29 03:00 Europe/Berlin`. */
export function timeInZone(iso: string, zone: string): string {
  const shown = new Date(iso).toLocaleString('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return `${shown} ${zone}`;
}
