// Progress on standard error: a bar with rate and time left on a terminal, plain lines now and then elsewhere.

const BAR_WIDTH = 16;
/** Milliseconds between two drawings. */
const TERMINAL_INTERVAL = 100;
const LINE_INTERVAL = 5000;

export interface Progress {
  /** `done` of the total so far; `note` stands behind them (a loss, a name). */
  update(done: number, note?: string): void;
  /** Ends the bar's line; call it before anything else is printed. */
  finish(): void;
}

/** Starts showing how much of `total` (in `unit`) is done. */
export function startProgress(
  label: string,
  total: number,
  unit: string,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = performance.now();
  const interval = stream.isTTY ? TERMINAL_INTERVAL : LINE_INTERVAL;
  let last = start; // the first line waits for one interval, so that quick work says nothing
  let open = false;
  let pending = "";
  const draw = (line: string) => {
    if (stream.isTTY) {
      const width = stream.columns > 0 ? stream.columns - 1 : 79;
      stream.write(`\r\u001b[K${line.slice(0, width)}`);
      open = true;
    } else {
      stream.write(`${line}\n`);
    }
    pending = "";
  };
  return {
    update(done, note = "") {
      const now = performance.now();
      pending = progressLine(label, done, total, unit, (now - start) / 1000, note, stream.isTTY);
      if (now - last >= interval) {
        last = now;
        draw(pending);
      }
    },
    finish() {
      // A bar ends at its last state; lines have said enough, unless nothing was said of a long piece of work.
      if (pending !== "" && (open || performance.now() - start >= LINE_INTERVAL)) {
        draw(pending);
      }
      if (open) {
        stream.write("\n");
        open = false;
      }
    },
  };
}

/** One line: label, bar, percentage, counts, rate, time left, note. */
export function progressLine(
  label: string,
  done: number,
  total: number,
  unit: string,
  seconds: number,
  note: string,
  bar: boolean,
): string {
  const part = total > 0 ? Math.min(1, done / total) : 1;
  const filled = Math.round(part * BAR_WIDTH);
  const rate = seconds > 0 ? done / seconds : 0;
  const left = rate > 0 ? (total - done) / rate : NaN;
  return [
    label,
    ...(bar ? [`[${"█".repeat(filled)}${"·".repeat(BAR_WIDTH - filled)}]`] : []),
    `${Math.floor(part * 100)} %`,
    `${quantity(done)}/${quantity(total)} ${unit}`,
    ...(note === "" ? [] : [note]), // before the rate, so that a narrow terminal shows it
    ...(rate > 0 ? [`${quantity(rate)} ${unit}/s`] : []),
    ...(Number.isFinite(left) && part < 1 ? [`${duration(left)} left`] : []),
  ].join("  ");
}

/** Three significant digits, with k, M or G from 10,000 on. */
export function quantity(value: number): string {
  for (const [limit, suffix] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (value >= limit) {
      return `${(value / (suffix === "k" ? 1e3 : limit)).toPrecision(3)}${suffix}`;
    }
  }
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** "12 s", "3 min 05 s", "2 h 07 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) {
    return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  }
  return minutes > 0 ? `${minutes} min ${String(rest).padStart(2, "0")} s` : `${rest} s`;
}
